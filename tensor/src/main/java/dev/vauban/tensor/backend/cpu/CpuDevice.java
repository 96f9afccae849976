package dev.vauban.tensor.backend.cpu;

import dev.vauban.tensor.Device;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Program;

/** The CPU device. */
public final class CpuDevice implements Device {
  private final int workers;

  private CpuDevice(int workers) {
    this.workers = workers;
  }

  /** A device with this many workers. */
  public static CpuDevice open(int workers) {
    return new CpuDevice(workers);
  }

  @Override
  public String name() {
    return "cpu:" + workers;
  }

  @Override
  public String description() {
    return "cpu, " + workers + " workers";
  }

  @Override
  public Plan compile(Program program) {
    return new dev.vauban.tensor.backend.reference.ReferenceDevice().compile(program);
  }

  @Override
  public void close() {}
}
