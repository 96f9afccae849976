package dev.vauban.tensor;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.ServiceLoader;

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
    List<String> names = new ArrayList<>();
    for (DeviceProvider provider :
        ServiceLoader.load(DeviceProvider.class, Device.class.getClassLoader())) {
      Optional<Device> device = provider.open(n);
      if (device.isPresent()) {
        return device.get();
      }
      names.add(provider.names());
    }
    throw new IllegalArgumentException(
        "there is no device '" + name + "'; use " + String.join(", ", names));
  }

  /** The name under which it was opened. */
  String name();

  /** What it is, for provenance: processor, kernels, threads. */
  String description();

  /** Compiles a program for this device. */
  Plan compile(Program program);

  /**
   * This device with all programs compiled in another precision. It is the same device: closing
   * either closes both.
   */
  default Device in(Precision precision) {
    return precision == Precision.F32 ? this : new PrecisionDevice(this, precision);
  }

  /**
   * Whether programs {@linkplain Precision#BF16 in BF16} round the operands of this product here: a
   * device says no where its kernels for F32 are as quick.
   *
   * @param product a large product of F32 operands
   */
  default boolean rounds(Expr product) {
    return true;
  }

  /** Ends the device's threads; its plans cannot run afterwards. */
  @Override
  void close();
}
