package dev.vauban.bench.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Which memory allocator this process runs on: frameworks that allocate a lot depend on it. */
public final class Allocator {
  private static final List<String> KNOWN = List.of("tcmalloc", "jemalloc", "mimalloc");

  private Allocator() {}

  /** The allocator whose library is loaded; {@code malloc} is the system's own. */
  public static String name() {
    try {
      return in(Files.readString(Path.of("/proc/self/maps")));
    } catch (IOException e) {
      return "malloc";
    }
  }

  static String in(String maps) {
    return KNOWN.stream().filter(n -> maps.contains("/lib" + n)).findFirst().orElse("malloc");
  }
}
