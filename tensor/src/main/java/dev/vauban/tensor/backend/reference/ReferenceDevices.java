package dev.vauban.tensor.backend.reference;

import dev.vauban.tensor.Device;
import dev.vauban.tensor.DeviceProvider;
import java.util.Optional;

/** Offers {@code reference}. */
public final class ReferenceDevices implements DeviceProvider {
  @Override
  public String names() {
    return "reference";
  }

  @Override
  public Optional<Device> open(String name) {
    return name.equals("reference") ? Optional.of(new ReferenceDevice()) : Optional.empty();
  }
}
