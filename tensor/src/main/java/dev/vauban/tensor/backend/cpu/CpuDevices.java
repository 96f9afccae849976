package dev.vauban.tensor.backend.cpu;

import dev.vauban.tensor.Device;
import dev.vauban.tensor.DeviceProvider;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Offers {@code cpu} (all processors) and {@code cpu:N} (N workers). */
public final class CpuDevices implements DeviceProvider {
  private static final Pattern NAME = Pattern.compile("cpu(?::([1-9][0-9]{0,2}))?");

  @Override
  public String names() {
    return "cpu, cpu:N (N workers)";
  }

  @Override
  public Optional<Device> open(String name) {
    Matcher m = NAME.matcher(name);
    if (!m.matches()) {
      return Optional.empty();
    }
    int workers =
        m.group(1) == null
            ? Runtime.getRuntime().availableProcessors()
            : Integer.parseInt(m.group(1));
    return Optional.of(CpuDevice.open(workers));
  }
}
