package dev.vauban.cli.doctor;

import dev.vauban.natives.cuda.CudaReport;
import dev.vauban.natives.onednn.OneDnn;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The native libraries. */
final class LibraryChecks {
  private LibraryChecks() {}

  /** What the loader says; also where not even the bindings load. */
  static OneDnn.Status status() {
    try {
      return OneDnn.status();
    } catch (LinkageError | RuntimeException e) {
      return OneDnn.Status.without(
          OneDnn.State.REFUSED,
          "bundled",
          "its bindings do not load: " + e,
          "run it on a 64-bit Linux, or set VAUBAN_ONEDNN=off");
    }
  }

  static Check oneDnn(OneDnn.Status status) {
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("available", status.available());
    facts.put("choice", status.choice());
    switch (status.state()) {
      case READY -> {}
      case OFF, ABSENT -> {
        return Check.optional(
            "oneDNN",
            "not used: " + status.reason() + "; pure Vector API kernels run instead",
            status.remedy(),
            facts);
      }
      // Who names a library means it: no other is used in its place, here as in every command.
      case REFUSED -> {
        return Check.missing(
            "oneDNN",
            status.reason() + "; until then no command can compute",
            status.remedy(),
            facts);
      }
    }
    facts.put("path", status.path());
    facts.put("version", status.version());
    facts.put("isa", status.isa());
    facts.put("threads", status.threads());
    return Check.ok(
        "oneDNN",
        "%s, %s, %d thread per primitive, %s (%s)"
            .formatted(
                status.version(), status.isa(), status.threads(), status.path(), status.choice()),
        facts);
  }

  static Check cuda() {
    return cuda(report());
  }

  private static CudaReport report() {
    try {
      return CudaReport.ofThisMachine();
    } catch (LinkageError | RuntimeException e) {
      String problem = "the look for it failed: " + e;
      return new CudaReport(
          List.of(), List.of(new CudaReport.Library("driver", "", "", problem, "")));
    }
  }

  /** The cards with their memory and the libraries, or the first thing that is missing. */
  static Check cuda(CudaReport report) {
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("available", report.usable());
    facts.put("cards", report.cards().stream().map(LibraryChecks::facts).toList());
    facts.put("libraries", report.libraries().stream().map(LibraryChecks::facts).toList());
    List<String> found = new ArrayList<>();
    report.cards().forEach(card -> found.add(card.toString()));
    report.libraries().stream()
        .filter(CudaReport.Library::usable)
        .forEach(library -> found.add(library.toString()));
    if (report.usable()) {
      return Check.ok("CUDA", String.join("; ", found), facts);
    }
    Optional<CudaReport.Library> missing =
        report.libraries().stream().filter(library -> !library.usable()).findFirst();
    // A card is the first thing to want: without one, it does not matter which libraries there are.
    boolean onlyCards = report.cards().isEmpty() && report.libraries().get(0).usable();
    String reason =
        missing.isEmpty() || onlyCards
            ? report.cards().isEmpty() ? "the driver sees no card" : "no card can be opened"
            : missing.get().problem();
    return Check.optional(
        "CUDA",
        "not used: " + reason + (found.isEmpty() ? "" : "; found: " + String.join("; ", found)),
        missing.isEmpty() || onlyCards ? "" : missing.get().remedy(),
        facts);
  }

  private static Map<String, Object> facts(CudaReport.CardState state) {
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("device", "cuda:" + state.card().ordinal());
    facts.put("name", state.card().name());
    facts.put("compute_capability", state.card().major() + "." + state.card().minor());
    facts.put("memory_bytes", state.card().memory());
    facts.put("free_bytes", state.free());
    facts.put("problem", state.problem());
    return facts;
  }

  private static Map<String, Object> facts(CudaReport.Library library) {
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("name", library.name());
    facts.put("path", library.path());
    facts.put("version", library.version());
    facts.put("problem", library.problem());
    facts.put("remedy", library.remedy());
    return facts;
  }
}
