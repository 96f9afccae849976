package dev.vauban.bench.steps;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** How much memory of the machine this process holds; 0 where the system does not tell. */
final class Resident {
  private Resident() {}

  /** Now, in MiB. */
  static double nowMegabytes() {
    return megabytes("VmRSS:");
  }

  /** At most so far, in MiB. */
  static double mostMegabytes() {
    return megabytes("VmHWM:");
  }

  private static double megabytes(String field) {
    try {
      return Files.readAllLines(Path.of("/proc/self/status")).stream()
          .filter(line -> line.startsWith(field))
          .mapToDouble(line -> Double.parseDouble(line.replaceAll("[^0-9]", "")) / 1024)
          .findFirst()
          .orElse(0);
    } catch (IOException e) {
      return 0;
    }
  }
}
