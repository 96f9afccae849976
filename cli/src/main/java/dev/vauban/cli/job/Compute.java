package dev.vauban.cli.job;

import dev.vauban.cli.config.DeviceName;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Precision;

/**
 * Where and how programs run.
 *
 * @param device the processor or a card
 * @param workers threads of the processor; they change the speed, never the result
 * @param precision of large products
 */
public record Compute(DeviceName device, int workers, Precision precision) {
  /**
   * Opens it.
   *
   * @throws dev.vauban.natives.NativeException if a library that it needs is missing
   */
  public Device open() {
    return Device.open(device.withWorkers(workers)).in(precision);
  }
}
