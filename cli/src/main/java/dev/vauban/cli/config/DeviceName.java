package dev.vauban.cli.config;

import java.util.Locale;
import java.util.regex.Pattern;

/**
 * Which device, as {@code --device} names it: {@code cpu}, {@code cuda} or {@code cuda:N}, {@code
 * reference}.
 *
 * @param name in lower case
 */
public record DeviceName(String name) {
  private static final String CPU = "cpu";
  private static final Pattern NAMES = Pattern.compile("cpu|reference|cuda(:[0-9]{1,3})?");

  /**
   * Reads a name.
   *
   * @throws IllegalArgumentException if it is none; the message lists what there is
   */
  public static DeviceName parse(String text) {
    String name = text.strip().toLowerCase(Locale.ROOT);
    if (!NAMES.matcher(name).matches()) {
      throw new IllegalArgumentException(
          "there is no device '%s'; use cpu (its threads are --workers), cuda or cuda:N, or reference"
              .formatted(text));
    }
    return new DeviceName(name);
  }

  /** The processor. */
  public static DeviceName cpu() {
    return new DeviceName(CPU);
  }

  /** Whether it is a graphics card. */
  public boolean isCard() {
    return name.startsWith("cuda");
  }

  /** As {@link dev.vauban.tensor.Device#open} reads it, with as many threads of the processor. */
  public String withWorkers(int workers) {
    return name.equals(CPU) ? CPU + ":" + workers : name;
  }

  @Override
  public String toString() {
    return name;
  }
}
