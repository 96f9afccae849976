package dev.vauban.cli.job;

import dev.vauban.cli.config.DeviceName;
import dev.vauban.cli.failure.CommandException;
import dev.vauban.natives.cuda.CudaReport;
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
   * @throws CommandException if this machine has no such device
   */
  public Device open() {
    Device opened;
    try {
      opened = Device.open(device.withWorkers(workers));
    } catch (IllegalArgumentException e) {
      String sentence = "--device " + device + ": " + e.getMessage();
      boolean none = device.isCard() && CudaReport.ofThisMachine().cards().isEmpty();
      throw none
          ? CommandException.environment(sentence, e)
          : CommandException.badInput(sentence, e);
    }
    return opened.in(precision);
  }
}
