package dev.vauban.natives.cuda;

import dev.vauban.natives.NativeException;
import dev.vauban.natives.load.CudaLibrary;
import dev.vauban.natives.load.CudaLibrary.Candidate;
import dev.vauban.natives.load.CudaLibrary.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;

/** What loading CUDA's libraries has in common. */
final class Loading {
  private static final System.Logger LOG = System.getLogger("dev.vauban.natives");

  private Loading() {}

  /**
   * The first library of a kind on this machine that can be used.
   *
   * @param user makes the library's class, or throws a {@link NativeException} that says what is
   *     wrong with it
   * @throws NativeException if there is none; the message says what is wrong with those there are
   */
  static <T> T first(Kind kind, Function<CudaLibrary, T> user) {
    List<String> reasons = new ArrayList<>();
    for (Candidate candidate : CudaLibrary.candidates(kind)) {
      try {
        Optional<CudaLibrary> library = candidate.open();
        if (library.isPresent()) {
          T made = user.apply(library.get());
          LOG.log(System.Logger.Level.DEBUG, "{0}: {1}", kind.title(), library.get().path());
          return made;
        }
      } catch (NativeException e) {
        reasons.add(e.problem());
      }
    }
    throw CudaLibrary.missing(kind, reasons);
  }

  /** The stack trace of the first failure would mislead the second caller. */
  static NativeException again(NativeException first) {
    return new NativeException(first.problem(), first.remedy().orElse(""), first);
  }

  /** 12080 as {@code 12.8}. */
  static String version(int version) {
    return version / 1000 + "." + version % 1000 / 10;
  }

  /** {@code 3.2 GiB}, {@code 12 MiB}, {@code 700 bytes}. */
  static String bytes(long bytes) {
    if (bytes >= 1L << 30) {
      return String.format(Locale.ROOT, "%.1f GiB", bytes / (double) (1L << 30));
    }
    if (bytes >= 1L << 20) {
      return String.format(Locale.ROOT, "%.1f MiB", bytes / (double) (1L << 20));
    }
    return bytes >= 1L << 10
        ? String.format(Locale.ROOT, "%.1f KiB", bytes / (double) (1L << 10))
        : bytes + " bytes";
  }
}
