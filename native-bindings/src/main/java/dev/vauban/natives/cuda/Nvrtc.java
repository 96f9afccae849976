package dev.vauban.natives.cuda;

import dev.vauban.natives.NativeException;
import dev.vauban.natives.cuda.generated.NvrtcCalls;
import dev.vauban.natives.load.CString;
import dev.vauban.natives.load.CudaLibrary;
import dev.vauban.natives.load.CudaLibrary.Candidate;
import dev.vauban.natives.load.CudaLibrary.Kind;
import dev.vauban.natives.load.Symbols;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** NVIDIA's run-time compiler of CUDA C++. Needs no card and no driver. */
public final class Nvrtc {
  /** This machine's, loaded on first use, once. */
  private static final class Shared {
    static final Loading.Found<Nvrtc> FOUND = Loading.find(Kind.NVRTC, Nvrtc::fitting);
  }

  private final Symbols symbols;
  private final String path;
  private final int major;
  private final int minor;
  private final List<Integer> architectures;

  private Nvrtc(CudaLibrary library) {
    this.symbols = library.symbols();
    this.path = library.path();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(2 * Integer.BYTES, Integer.BYTES);
      check(
          NvrtcCalls.nvrtcVersion(symbols, out, out.asSlice(Integer.BYTES)), "nvrtcVersion", path);
      this.major = out.get(ValueLayout.JAVA_INT, 0);
      this.minor = out.get(ValueLayout.JAVA_INT, Integer.BYTES);
      Loading.checkNew("NVRTC " + path, version(), major);
      check(NvrtcCalls.nvrtcGetNumSupportedArchs(symbols, out), "nvrtcGetNumSupportedArchs", path);
      int count = out.get(ValueLayout.JAVA_INT, 0);
      MemorySegment list = arena.allocate((long) Math.max(1, count) * Integer.BYTES, Integer.BYTES);
      check(NvrtcCalls.nvrtcGetSupportedArchs(symbols, list), "nvrtcGetSupportedArchs", path);
      List<Integer> found = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        found.add(list.get(ValueLayout.JAVA_INT, (long) i * Integer.BYTES));
      }
      this.architectures = found.stream().sorted().toList();
    }
  }

  /** One whose code this machine's driver runs and that knows its cards; any, without a driver. */
  private static Nvrtc fitting(CudaLibrary library) {
    Nvrtc nvrtc = new Nvrtc(library);
    CudaDriver driver;
    try {
      driver = CudaDriver.load();
    } catch (NativeException e) {
      return nvrtc;
    }
    nvrtc.checkFits(driver);
    return nvrtc;
  }

  /**
   * Checks that the driver runs this compiler's code, and that it compiles for one of its cards:
   * another that is too old or too new is refused when something is compiled for it.
   *
   * @throws NativeException if not
   */
  void checkFits(CudaDriver driver) {
    Loading.checkFits("NVRTC " + path, version(), major, driver);
    List<CudaDriver.Card> cards = driver.cards();
    if (!cards.isEmpty() && cards.stream().noneMatch(this::compilesFor)) {
      CudaDriver.Card first = cards.get(0);
      throw unknownArchitecture(first.architecture() + ", which is " + first);
    }
  }

  private boolean compilesFor(CudaDriver.Card card) {
    return architectures.contains(card.major() * 10 + card.minor());
  }

  private NativeException unknownArchitecture(String architecture) {
    return new NativeException(
        "NVRTC %s (%s) does not compile for %s; it knows sm_%d to sm_%d"
            .formatted(
                path,
                version(),
                architecture,
                architectures.get(0),
                architectures.get(architectures.size() - 1)),
        "install the CUDA toolkit that fits the card",
        null);
  }

  /**
   * The compiler of this machine, loaded once.
   *
   * @throws NativeException if there is none, it is too old or too new for the driver, or it does
   *     not know the card
   */
  public static Nvrtc load() {
    return Shared.FOUND.orThrow();
  }

  /**
   * The compiler in this file; tests give their own.
   *
   * @throws NativeException if it is not NVRTC, or too old
   */
  public static Nvrtc load(Path library) {
    return new Nvrtc(Candidate.of(Kind.NVRTC, library).open().orElseThrow());
  }

  /** The file it was loaded from. */
  public String path() {
    return path;
  }

  /** {@code 13.0}. */
  public String version() {
    return major + "." + minor;
  }

  /** The compute capabilities it compiles for, such as 90, ascending. */
  public List<Integer> architectures() {
    return architectures;
  }

  /**
   * Compiles a program.
   *
   * @param source CUDA C++
   * @param name what the compiler calls it in messages
   * @param architecture {@code sm_90}
   * @param options further ones, such as {@code --use_fast_math}
   * @return code for the card ({@link CudaContext#module} loads it)
   * @throws CudaException if it does not compile; the message ends with the compiler's log
   */
  public byte[] compile(String source, String name, String architecture, List<String> options) {
    String number = architecture.replaceFirst("^sm_", "").replaceFirst("[a-z]$", "");
    if (!number.matches("\\d{2,3}") || architecture.equals(number)) {
      throw new IllegalArgumentException(
          "'" + architecture + "' is no architecture of a card; an example is sm_90");
    }
    if (!architectures.contains(Integer.parseInt(number))) {
      throw unknownArchitecture(architecture);
    }
    List<String> all = new ArrayList<>(List.of("--gpu-architecture=" + architecture));
    all.addAll(options);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
      check(
          NvrtcCalls.nvrtcCreateProgram(
              symbols,
              out,
              CText.of(source, arena),
              CText.of(name, arena),
              0,
              MemorySegment.NULL,
              MemorySegment.NULL),
          "nvrtcCreateProgram",
          name);
      MemorySegment program = out.get(ValueLayout.ADDRESS, 0);
      try {
        int code =
            NvrtcCalls.nvrtcCompileProgram(symbols, program, all.size(), CText.array(all, arena));
        if (code != NvrtcCalls.NVRTC_SUCCESS()) {
          throw failure(
              code, "nvrtcCompileProgram", name + " for " + architecture, log(program, arena));
        }
        return image(program, name, arena);
      } finally {
        check(NvrtcCalls.nvrtcDestroyProgram(symbols, out), "nvrtcDestroyProgram", name);
      }
    }
  }

  private byte[] image(MemorySegment program, String name, Arena arena) {
    MemorySegment size = arena.allocate(ValueLayout.JAVA_LONG);
    check(NvrtcCalls.nvrtcGetCUBINSize(symbols, program, size), "nvrtcGetCUBINSize", name);
    MemorySegment image = arena.allocate(size.get(ValueLayout.JAVA_LONG, 0), 16);
    check(NvrtcCalls.nvrtcGetCUBIN(symbols, program, image), "nvrtcGetCUBIN", name);
    return image.toArray(ValueLayout.JAVA_BYTE);
  }

  private String log(MemorySegment program, Arena arena) {
    MemorySegment size = arena.allocate(ValueLayout.JAVA_LONG);
    check(NvrtcCalls.nvrtcGetProgramLogSize(symbols, program, size), "nvrtcGetProgramLogSize", "");
    MemorySegment log = arena.allocate(Math.max(1, size.get(ValueLayout.JAVA_LONG, 0)));
    check(NvrtcCalls.nvrtcGetProgramLog(symbols, program, log), "nvrtcGetProgramLog", "");
    return CText.read(log).strip();
  }

  private void check(int code, String function, String subject) {
    if (code != NvrtcCalls.NVRTC_SUCCESS()) {
      throw failure(code, function, subject, "");
    }
  }

  private CudaException failure(int code, String function, String subject, String log) {
    String error = CString.read(NvrtcCalls.nvrtcGetErrorString(symbols, code));
    return new CudaException(
        function,
        code,
        error,
        false,
        "%s returned %s (%d) for %s; NVRTC %d.%d, %s%s"
            .formatted(
                function,
                error,
                code,
                subject,
                major,
                minor,
                path,
                log.isEmpty() ? "" : "\n" + log));
  }
}
