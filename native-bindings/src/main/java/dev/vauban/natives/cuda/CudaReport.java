package dev.vauban.natives.cuda;

import dev.vauban.natives.NativeException;
import dev.vauban.natives.cuda.generated.CudaRuntimeCalls;
import dev.vauban.natives.load.CudaLibrary;
import dev.vauban.natives.load.CudaLibrary.Kind;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;

/**
 * What of CUDA this machine has, and why not the rest.
 *
 * @param cards the cards the driver sees; empty without a driver
 * @param libraries the driver, NVRTC, cuBLASLt and the runtime, in this order
 */
public record CudaReport(List<CardState> cards, List<Library> libraries) {
  /**
   * A card and its memory.
   *
   * @param card which
   * @param free bytes of memory that are free; 0 if it cannot be opened
   * @param problem why it cannot be opened, in a sentence; empty if it can
   */
  public record CardState(CudaDriver.Card card, long free, String problem) {
    /** {@code cuda:0 NVIDIA H200, compute capability 9.0, 139.1 GiB free of 139.8 GiB}. */
    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "cuda:%d %s, compute capability %d.%d, %s",
          card.ordinal(),
          card.name(),
          card.major(),
          card.minor(),
          problem.isEmpty()
              ? Loading.bytes(free) + " free of " + Loading.bytes(card.memory())
              : problem);
    }
  }

  /**
   * A library.
   *
   * @param name what it is
   * @param path its file; empty if it cannot be used
   * @param version its version, of the driver the newest CUDA it runs; empty if it cannot be used
   * @param problem why it cannot be used, in a sentence; empty if it can
   * @param remedy what to do about it; empty if nothing
   */
  public record Library(String name, String path, String version, String problem, String remedy) {
    /** Whether it can be used. */
    public boolean usable() {
      return problem.isEmpty();
    }

    @Override
    public String toString() {
      return usable() ? name + " " + version + " (" + path + ")" : problem;
    }
  }

  /** Copies the lists. */
  public CudaReport {
    cards = List.copyOf(cards);
    libraries = List.copyOf(libraries);
  }

  /** Whether plans could run on a card: there is one, with all the libraries they need. */
  public boolean usable() {
    return cards.stream().anyMatch(c -> c.problem().isEmpty())
        && libraries.stream().limit(3).allMatch(Library::usable); // the runtime is not called
  }

  /** Looks at this machine now; opens each card for a moment. */
  public static CudaReport ofThisMachine() {
    List<CardState> cards = new ArrayList<>();
    Library driver =
        look(
            "driver",
            () -> {
              CudaDriver found = CudaDriver.load();
              found.cards().forEach(card -> cards.add(state(found, card)));
              return usable("driver", found.path(), "for CUDA " + version(found.version()));
            });
    return new CudaReport(
        cards,
        List.of(
            driver,
            look("NVRTC", () -> usable("NVRTC", Nvrtc.load().path(), Nvrtc.load().version())),
            look(
                "cuBLASLt",
                () -> usable("cuBLASLt", CublasLt.load().path(), CublasLt.load().version())),
            look("runtime", () -> Loading.first(Kind.RUNTIME, CudaReport::runtime))));
  }

  private static String version(int version) {
    return Loading.version(version);
  }

  private static CardState state(CudaDriver driver, CudaDriver.Card card) {
    try (CudaContext context = driver.open(card.ordinal())) {
      return new CardState(card, context.memoryInfo().free(), "");
    } catch (CudaException e) {
      return new CardState(card, 0, "cannot be opened: " + e.getMessage());
    }
  }

  private static Library runtime(CudaLibrary library) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_INT);
      int code = CudaRuntimeCalls.cudaRuntimeGetVersion(library.symbols(), out);
      if (code != 0) {
        throw new NativeException(
            "the CUDA runtime " + library.path() + " does not tell its version (" + code + ")",
            "install a CUDA toolkit",
            null);
      }
      return usable("runtime", library.path(), version(out.get(ValueLayout.JAVA_INT, 0)));
    }
  }

  private static Library look(String name, Supplier<Library> finder) {
    try {
      return finder.get();
    } catch (NativeException e) {
      return new Library(name, "", "", e.problem(), e.remedy().orElse(""));
    } catch (CudaException e) {
      return new Library(name, "", "", e.getMessage(), "");
    }
  }

  private static Library usable(String name, String path, String version) {
    return new Library(name, path, version, "", "");
  }
}
