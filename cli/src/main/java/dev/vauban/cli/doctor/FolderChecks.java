package dev.vauban.cli.doctor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** The folders that Vauban writes and reads. */
final class FolderChecks {
  private FolderChecks() {}

  /** The per-user cache that native libraries are unpacked to. */
  static Check cache(Map<String, String> environment) {
    String configured = environment.getOrDefault("XDG_CACHE_HOME", "");
    Path folder =
        (configured.isBlank()
                ? Path.of(System.getProperty("user.home"), ".cache")
                : Path.of(configured))
            .resolve("vauban");
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("path", folder.toString());
    Path existing = folder;
    while (existing != null && !Files.exists(existing)) {
      existing = existing.getParent();
    }
    boolean writable =
        existing != null && Files.isDirectory(existing) && Files.isWritable(existing);
    facts.put("writable", writable);
    if (!writable) {
      return Check.optional(
          "Cache",
          folder + " cannot be written",
          "set XDG_CACHE_HOME to a folder that you can write to",
          facts);
    }
    return Check.ok("Cache", folder + (Files.exists(folder) ? "" : " (made on first use)"), facts);
  }

  /** The folder of data sets: a convenience for people, so its absence is no defect. */
  static Check data(Map<String, String> environment) {
    String configured =
        System.getProperty("vauban.data", environment.getOrDefault("VAUBAN_DATA_DIR", "data"));
    Path folder = Path.of(configured).toAbsolutePath().normalize();
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("path", folder.toString());
    try (Stream<Path> entries = Files.list(folder)) {
      List<String> sets =
          entries.filter(Files::isDirectory).map(p -> p.getFileName().toString()).sorted().toList();
      facts.put("folders", sets);
      return Check.ok(
          "Data",
          folder + (sets.isEmpty() ? " (no folders in it)" : ": " + String.join(", ", sets)),
          facts);
    } catch (IOException e) {
      return Check.optional(
          "Data",
          "no folder " + folder + "; the built-in glyphs need none",
          "name a data set's own folder, e.g. --data omniglot:DIR",
          facts);
    }
  }
}
