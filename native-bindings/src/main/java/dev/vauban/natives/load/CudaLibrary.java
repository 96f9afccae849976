package dev.vauban.natives.load;

import dev.vauban.natives.NativeException;
import dev.vauban.natives.cuda.generated.CudaSymbols;
import java.io.IOException;
import java.lang.foreign.SymbolLookup;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * One of CUDA's libraries, found and opened; its functions are all there, its version is not yet
 * looked at.
 *
 * @param kind which
 * @param symbols its functions
 * @param path the file it was opened from
 */
public record CudaLibrary(Kind kind, Symbols symbols, String path) {
  /** The system property that says where to look: a folder, or {@code off}. */
  public static final String PROPERTY = "vauban.cuda";

  /** The environment variable that says it where the property is not set. */
  public static final String VARIABLE = "VAUBAN_CUDA";

  private static final String WHERE =
      "-D" + PROPERTY + "=DIR (or the variable " + VARIABLE + ") names a folder to look in";

  /** CUDA's libraries. */
  public enum Kind {
    /** The driver, which comes with the kernel module. */
    DRIVER("the CUDA driver", "libcuda.so", CudaSymbols.DRIVER),
    /** The runtime; only its version is of interest. */
    RUNTIME("the CUDA runtime", "libcudart.so", CudaSymbols.RUNTIME),
    /** The run-time compiler. */
    NVRTC("NVRTC", "libnvrtc.so", CudaSymbols.NVRTC),
    /** Matrix products. */
    CUBLAS_LT("cuBLASLt", "libcublasLt.so", CudaSymbols.CUBLAS_LT);

    private final String title;
    private final String file;
    private final List<String> functions;

    Kind(String title, String file, List<String> functions) {
      this.title = title;
      this.file = file;
      this.functions = functions;
    }

    /** What it is called in messages. */
    public String title() {
      return title;
    }

    private String remedy() {
      return switch (this) {
        case DRIVER -> "install NVIDIA's driver for the card";
        case RUNTIME -> "install a CUDA toolkit or pip's nvidia-cuda-runtime; " + WHERE;
        case NVRTC -> "install a CUDA toolkit or pip's nvidia-cuda-nvrtc; " + WHERE;
        case CUBLAS_LT -> "install a CUDA toolkit or pip's nvidia-cublas; " + WHERE;
      };
    }
  }

  /**
   * The libraries of this kind on this machine, the likeliest first; the caller takes the first
   * whose version suits it. Files are opened only when they are reached.
   *
   * @throws NativeException if CUDA is switched off, or the folder that was named is none
   */
  public static List<Candidate> candidates(Kind kind) {
    String choice = System.getProperty(PROPERTY, System.getenv(VARIABLE));
    return candidates(kind, choice == null ? "" : choice.strip(), CudaFolders.ofThisMachine());
  }

  static List<Candidate> candidates(Kind kind, String choice, CudaFolders folders) {
    if (choice.equals("off")) {
      throw new NativeException(
          "CUDA is switched off by " + PROPERTY + "=off (property) or " + VARIABLE + " (variable)",
          "remove that setting to use the card",
          null);
    }
    List<Candidate> found = new ArrayList<>();
    if (!choice.isEmpty()) {
      List<Path> own = CudaFolders.under(folder(choice));
      own.forEach(folder -> addFiles(found, kind, folder));
      if (kind != Kind.DRIVER) { // a folder that is named is meant; only the driver is elsewhere
        return found;
      }
    }
    if (kind == Kind.DRIVER) {
      found.add(new Candidate(kind, "libcuda.so.1", null));
      folders.drivers().forEach(folder -> addFiles(found, kind, folder));
      return found;
    }
    folders.toolkits().forEach(folder -> addFiles(found, kind, folder));
    found.add(new Candidate(kind, kind.file, null));
    for (int major = 13; major >= 12; major--) {
      found.add(new Candidate(kind, kind.file + "." + major, null));
    }
    return found;
  }

  private static Path folder(String choice) {
    try {
      Path folder = Path.of(choice).toAbsolutePath();
      if (Files.isDirectory(folder)) {
        return folder;
      }
    } catch (InvalidPathException e) {
      // Said below.
    }
    throw new NativeException(
        PROPERTY + " names " + choice + ", which is not a folder",
        "give the folder of a CUDA toolkit or of its libraries, or off",
        null);
  }

  /** The files of a kind in a folder: one per name, the newest version first. */
  private static void addFiles(List<Candidate> found, Kind kind, Path folder) {
    List<Path> files = new ArrayList<>();
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder, kind.file + "*")) {
      entries.forEach(files::add);
    } catch (IOException e) {
      return; // a folder that may not be read holds nothing for this user
    }
    files.sort(Collections.reverseOrder((a, b) -> Versions.compare(a.toString(), b.toString())));
    List<Path> seen = new ArrayList<>();
    for (Path file : files) {
      Path real = real(file);
      if (!seen.contains(real)) { // libnvrtc.so.13 and libnvrtc.so are links to one file
        seen.add(real);
        found.add(new Candidate(kind, file.toString(), file));
      }
    }
  }

  private static Path real(Path file) {
    try {
      return file.toRealPath();
    } catch (IOException e) {
      return file;
    }
  }

  /** Nothing was found, or nothing that could be used. */
  public static NativeException missing(Kind kind, List<String> reasons) {
    String why =
        reasons.isEmpty()
            ? "there is no " + kind.file + " on this machine, as far as Vauban looked"
            : String.join("; ", reasons);
    return new NativeException(kind.title + " cannot be used: " + why, kind.remedy(), null);
  }

  /**
   * A library that may be there.
   *
   * @param kind which
   * @param name the file, or the name that the dynamic linker is asked for
   * @param file the file; null where the linker is asked
   */
  public record Candidate(Kind kind, String name, Path file) {
    /** This very file. */
    public static Candidate of(Kind kind, Path file) {
      return new Candidate(kind, file.toString(), file.toAbsolutePath());
    }

    /**
     * Opens it; empty if the dynamic linker knows no such name.
     *
     * @throws NativeException if it is there and no such library; the problem names the file
     */
    public Optional<CudaLibrary> open() {
      try {
        if (file == null) {
          return DynamicLinker.find(name).map(s -> check(s, DynamicLinker.file(kind.file)));
        }
        if (!Files.isRegularFile(file)) {
          throw unusable(file.toString(), "there is no such file", null);
        }
        if (kind == Kind.NVRTC) {
          openBuiltins();
        }
        return Optional.of(check(DynamicLinker.open(file), file.toString()));
      } catch (DynamicLinker.Refusal e) {
        throw unusable(file.toString(), e.getMessage(), e.getCause());
      } catch (IllegalCallerException e) {
        throw new NativeException(
            "this JVM forbids native libraries",
            "start it with --enable-native-access=ALL-UNNAMED"
                + " (on the module path: --enable-native-access=dev.vauban.natives)",
            e);
      }
    }

    /**
     * NVRTC opens this library by name when it first compiles, and finds it only if it is open
     * already or on the linker's path: pip's packages are not.
     */
    private void openBuiltins() throws DynamicLinker.Refusal {
      Path folder = file.toAbsolutePath().getParent();
      try (DirectoryStream<Path> builtins =
          Files.newDirectoryStream(folder, "libnvrtc-builtins.so*")) {
        for (Path builtin : builtins) {
          DynamicLinker.open(builtin);
        }
      } catch (IOException e) {
        throw new DynamicLinker.Refusal("its folder cannot be read (" + e.getMessage() + ")", e);
      }
    }

    private CudaLibrary check(SymbolLookup library, String path) {
      Symbols symbols = Symbols.of(library, kind.functions);
      if (symbols.missing().size() == kind.functions.size()) {
        throw unusable(path, "it is a library, but not " + kind.title, null);
      }
      if (!symbols.missing().isEmpty()) {
        throw unusable(path, "it is too old: it lacks " + symbols.missing(), null);
      }
      return new CudaLibrary(kind, symbols, path);
    }

    private NativeException unusable(String path, String why, Throwable cause) {
      return new NativeException(
          kind.title + " cannot be loaded from " + path + ": " + why, kind.remedy(), cause);
    }
  }
}
