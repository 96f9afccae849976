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

  private static final int OLDEST_MAJOR = 12;

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

  /** What {@link #first} finds, or why it finds nothing, to be asked for again and again. */
  static <T> Found<T> find(Kind kind, Function<CudaLibrary, T> user) {
    try {
      return new Found<>(first(kind, user), null);
    } catch (NativeException e) {
      return new Found<>(null, e);
    }
  }

  /** A library of this machine, or why there is none. */
  record Found<T>(T library, NativeException failure) {
    T orThrow() {
      if (failure != null) {
        // The stack trace of the first failure would mislead the second caller.
        throw new NativeException(failure.problem(), failure.remedy().orElse(""), failure);
      }
      return library;
    }
  }

  /**
   * Checks that a toolkit's library is of the oldest version that Vauban knows, or newer.
   *
   * @param library what it is and where
   * @param version as people write it
   * @throws NativeException if it is older
   */
  static void checkNew(String library, String version, int major) {
    if (major < OLDEST_MAJOR) {
      throw new NativeException(
          "%s is too old: it is %s, and Vauban needs %d.0"
              .formatted(library, version, OLDEST_MAJOR),
          "install a CUDA toolkit of version " + OLDEST_MAJOR + " or newer",
          null);
    }
  }

  /**
   * Checks that the driver runs a library's code: of the same major version, or an older one.
   *
   * @throws NativeException if not
   */
  static void checkFits(String library, String version, int major, CudaDriver driver) {
    int runs = driver.version() / 1000;
    if (major > runs) {
      throw new NativeException(
          "%s is %s, too new for the driver, which runs CUDA %s"
              .formatted(library, version, version(driver.version())),
          "install a newer driver, or a CUDA toolkit of version " + runs,
          null);
    }
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
