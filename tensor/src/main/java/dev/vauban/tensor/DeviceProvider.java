package dev.vauban.tensor;

import java.util.Optional;

/**
 * A backend's way to offer devices; found as a service, so that the core knows no backend by name.
 */
public interface DeviceProvider {
  /** The device names it knows, for messages: {@code cpu, cpu:N}. */
  String names();

  /**
   * The device of this name, or empty if the name is not this backend's.
   *
   * @param name lower case, without surrounding space
   * @throws RuntimeException of the backend's if the device exists but cannot be opened
   */
  Optional<Device> open(String name);
}
