package dev.vauban.tensor;

import dev.vauban.tensor.backend.cpu.CpuDevice;
import dev.vauban.tensor.backend.reference.ReferenceDevice;
import java.util.Locale;

/**
 * Where plans run. {@code cpu} uses native and Vector API kernels on all processors, {@code cpu:N}
 * on N workers; {@code reference} is the double-precision interpreter.
 */
public interface Device extends AutoCloseable {
  /**
   * Opens a device by name.
   *
   * @param name {@code cpu}, {@code cpu:N} with N at least 1, or {@code reference}
   * @throws IllegalArgumentException if there is no such device; the message lists what there is
   */
  static Device open(String name) {
    String n = name.toLowerCase(Locale.ROOT).strip();
    if (n.equals("reference")) {
      return new ReferenceDevice();
    }
    if (n.equals("cpu")) {
      return CpuDevice.open(Runtime.getRuntime().availableProcessors());
    }
    if (n.matches("cpu:[1-9][0-9]{0,2}")) {
      return CpuDevice.open(Integer.parseInt(n.substring(4)));
    }
    throw new IllegalArgumentException(
        "there is no device '" + name + "'; use cpu, cpu:N (N workers) or reference");
  }

  /** The name under which it was opened. */
  String name();

  /** What it is, for provenance: processor, kernels, threads. */
  String description();

  /** Compiles a program for this device. */
  Plan compile(Program program);

  /** Ends the device's threads; its plans cannot run afterwards. */
  @Override
  void close();
}
