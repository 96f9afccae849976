package dev.vauban.natives.load;

import dev.vauban.natives.NativeException;
import dev.vauban.natives.onednn.generated.DnnlSymbols;
import dev.vauban.natives.onednn.generated.dnnl_version_t;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * An opened oneDNN whose version and symbols were checked: calls into it cannot miss.
 *
 * @param symbols the library's functions
 * @param path the file it was opened from
 * @param version {@code major.minor.patch}
 * @param isa the best instruction set it uses on this CPU, in oneDNN's own name
 * @param threading whether its kernels start threads of their own
 */
public record OneDnnLibrary(
    SymbolLookup symbols, String path, String version, String isa, Threading threading) {

  /** How the library was built to run in parallel. */
  public enum Threading {
    /** Never: every kernel runs on the calling thread. */
    SEQUENTIAL,
    /** With OpenMP: as many threads as OpenMP allows the calling thread. */
    OPENMP
  }

  private static final System.Logger LOG = System.getLogger("dev.vauban.natives");

  private static final String SONAME = "libdnnl.so.3";

  /** oneDNN promises one binary interface per major version. */
  private static final int MAJOR = 3;

  // dnnl_cpu_runtime: the constants of dnnl_config.h; the generated class cannot be touched before
  // a library is open.
  private static final int RUNTIME_SEQUENTIAL = 1;
  private static final int RUNTIME_OPENMP = 2;

  /** The library that the generated bindings call; set once. */
  private static volatile OneDnnLibrary bound;

  /** Where the generated bindings find their functions. Called by them only, when first used. */
  public static SymbolLookup boundSymbols() {
    OneDnnLibrary library = bound;
    if (library == null) {
      throw new IllegalStateException("oneDNN's bindings were used before a library was opened");
    }
    return library.symbols;
  }

  /** Makes the generated bindings call this library, for as long as the JVM lives. */
  public synchronized void bind() {
    if (bound != null) {
      throw new IllegalStateException("oneDNN's bindings already use " + bound.path);
    }
    bound = this;
  }

  /**
   * Opens the library of {@code choice} and checks that it is a oneDNN this code can call.
   *
   * @param choice {@code bundled}, {@code system} or the path of a file
   * @throws NativeException if there is none, or it is not a usable one; the message says what to
   *     do
   */
  public static OneDnnLibrary open(String choice) {
    try {
      return switch (choice) {
        case "bundled" -> openFile(BundledLibrary.unpack(BundledLibrary.userCache()));
        case "system" -> openSystem();
        default -> openGiven(choice);
      };
    } catch (IllegalCallerException e) {
      throw new NativeException(
          "this JVM forbids native libraries",
          "start it with --enable-native-access=ALL-UNNAMED"
              + " (on the module path: --enable-native-access=dev.vauban.natives)",
          e);
    }
  }

  private static OneDnnLibrary openGiven(String choice) {
    Path file;
    try {
      file = Path.of(choice).toAbsolutePath();
    } catch (InvalidPathException e) {
      throw unusable(choice, "this is not a path", e);
    }
    if (Files.isDirectory(file)) {
      throw unusable(file.toString(), "it is a folder; name the file in it", null);
    }
    if (!Files.exists(file)) {
      throw unusable(file.toString(), "there is no such file", null);
    }
    if (!Files.isReadable(file)) {
      throw unusable(file.toString(), "this user may not read it", null);
    }
    return openFile(file);
  }

  private static OneDnnLibrary openFile(Path file) {
    try {
      return check(DynamicLinker.open(file), file.toString());
    } catch (DynamicLinker.Refusal e) {
      throw unusable(file.toString(), e.getMessage(), e.getCause());
    }
  }

  private static OneDnnLibrary openSystem() {
    SymbolLookup symbols =
        DynamicLinker.find(SONAME)
            .orElseThrow(() ->
                new NativeException(
                    "the dynamic linker finds no "
                        + SONAME
                        + " on this system (asked for with vauban.onednn=system)",
                    "install oneDNN 3 (package libdnnl3 or onednn), add its folder to"
                        + " LD_LIBRARY_PATH, or use -Dvauban.onednn=bundled",
                    null));
    return check(symbols, DynamicLinker.file("libdnnl.so"));
  }

  /** Refuses a library of another kind or version before anything else in it is called. */
  private static OneDnnLibrary check(SymbolLookup symbols, String path) {
    MemorySegment versionFunction = symbols.find("dnnl_version").orElse(null);
    if (versionFunction == null) {
      throw unusable(path, "it is a library, but not oneDNN (it has no dnnl_version)", null);
    }
    MemorySegment struct =
        ((MemorySegment) call(versionFunction, FunctionDescriptor.of(ValueLayout.ADDRESS)))
            .reinterpret(dnnl_version_t.sizeof());
    String version =
        dnnl_version_t.major(struct)
            + "."
            + dnnl_version_t.minor(struct)
            + "."
            + dnnl_version_t.patch(struct);
    if (dnnl_version_t.major(struct) != MAJOR) {
      throw unusable(path, "it is oneDNN " + version + ", and Vauban needs oneDNN 3", null);
    }
    Threading threading = threading(dnnl_version_t.cpu_runtime(struct), path, version);
    List<String> missing = new ArrayList<>(DnnlSymbols.FUNCTIONS);
    missing.removeIf(name -> symbols.find(name).isPresent());
    if (threading == Threading.SEQUENTIAL) {
      missing.removeIf(name -> name.startsWith("omp_"));
    }
    if (!missing.isEmpty()) {
      throw unusable(path, "it is oneDNN " + version + " without " + missing, null);
    }
    LOG.log(System.Logger.Level.DEBUG, "oneDNN {0} from {1}", version, path);
    return new OneDnnLibrary(symbols, path, version, isa(symbols), threading);
  }

  private static Threading threading(int runtime, String path, String version) {
    return switch (runtime) {
      case RUNTIME_SEQUENTIAL -> Threading.SEQUENTIAL;
      case RUNTIME_OPENMP -> Threading.OPENMP;
      default ->
          throw unusable(
              path,
              "it is oneDNN "
                  + version
                  + " built for another thread library (runtime "
                  + runtime
                  + "), whose threads Vauban cannot limit; it needs an OpenMP or sequential build",
              null);
    };
  }

  private static String isa(SymbolLookup symbols) {
    int isa =
        (int)
            call(
                symbols.find("dnnl_get_effective_cpu_isa").orElseThrow(),
                FunctionDescriptor.of(ValueLayout.JAVA_INT));
    MemorySegment name =
        (MemorySegment)
            call(
                symbols.find("dnnl_cpu_isa2str").orElseThrow(),
                FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.JAVA_INT),
                isa);
    return CString.read(name).replaceFirst("^cpu_isa_", "");
  }

  private static Object call(MemorySegment function, FunctionDescriptor type, Object... arguments) {
    MethodHandle handle = Linker.nativeLinker().downcallHandle(function, type);
    try {
      return handle.invokeWithArguments(arguments);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("a native call threw", e);
    }
  }

  private static NativeException unusable(String path, String why, Throwable cause) {
    return new NativeException(
        "oneDNN cannot be loaded from " + path + ": " + why,
        "set vauban.onednn (or the environment variable VAUBAN_ONEDNN) to bundled, to system, to"
            + " the path of a libdnnl.so.3, or to off",
        cause);
  }
}
