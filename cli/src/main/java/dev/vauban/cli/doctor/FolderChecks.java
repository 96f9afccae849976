package dev.vauban.cli.doctor;

import dev.vauban.natives.onednn.OneDnn;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** The folders that Vauban writes. */
final class FolderChecks {
  private FolderChecks() {}

  /**
   * The per-user cache that the bundled oneDNN is unpacked to. The loader has just done that, or
   * said why it could not, so it is asked and nothing is guessed.
   */
  static Check cache(OneDnn.Status status) {
    Map<String, Object> facts = new LinkedHashMap<>();
    boolean needed = status.choice().equals("bundled");
    facts.put("needed", needed);
    if (!needed) {
      return Check.ok("Cache", "not needed: oneDNN is " + status.choice(), facts);
    }
    if (!status.available()) {
      return Check.optional("Cache", status.reason(), status.remedy(), facts);
    }
    // CACHE/onednn-VERSION/libdnnl.so.3
    Path cache = Path.of(status.path()).toAbsolutePath().getParent().getParent();
    facts.put("path", cache.toString());
    return Check.ok("Cache", cache.toString(), facts);
  }
}
