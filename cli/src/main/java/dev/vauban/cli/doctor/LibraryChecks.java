package dev.vauban.cli.doctor;

import dev.vauban.natives.CudaProbe;
import dev.vauban.natives.onednn.OneDnn;
import java.util.LinkedHashMap;
import java.util.Map;

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
    return cuda(probe());
  }

  private static CudaProbe probe() {
    try {
      return CudaProbe.run();
    } catch (LinkageError | RuntimeException e) {
      return new CudaProbe(false, "the look for it failed: " + e);
    }
  }

  /** This version computes on the CPU alone, so even with a driver the answer is "not used". */
  static Check cuda(CudaProbe probe) {
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("available", false);
    facts.put("driver", probe.available());
    return Check.optional(
        "CUDA",
        probe.available()
            ? "not used: the driver is there, but this version computes on the CPU"
            : "not used: " + probe.reason(),
        "",
        facts);
  }
}
