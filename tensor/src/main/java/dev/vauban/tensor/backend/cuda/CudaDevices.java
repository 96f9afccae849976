package dev.vauban.tensor.backend.cuda;

import dev.vauban.tensor.Device;
import dev.vauban.tensor.DeviceProvider;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Offers {@code cuda} (the first card) and {@code cuda:N} (card N, from 0). */
public final class CudaDevices implements DeviceProvider {
  private static final Pattern NAME = Pattern.compile("cuda(?::([0-9]{1,3}))?");

  @Override
  public String names() {
    return "cuda, cuda:N (NVIDIA card N)";
  }

  @Override
  public Optional<Device> open(String name) {
    Matcher m = NAME.matcher(name);
    if (!m.matches()) {
      return Optional.empty();
    }
    return Optional.of(CudaDevice.open(m.group(1) == null ? 0 : Integer.parseInt(m.group(1))));
  }
}
