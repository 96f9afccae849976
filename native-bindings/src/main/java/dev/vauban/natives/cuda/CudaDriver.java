package dev.vauban.natives.cuda;

import dev.vauban.natives.NativeException;
import dev.vauban.natives.cuda.generated.CudaDriverCalls;
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
import java.util.stream.Collectors;

/** The CUDA driver of this machine, opened and checked. */
public final class CudaDriver {
  /** The oldest that has everything Vauban calls, as CUDA writes 12.0. */
  static final int OLDEST = 12_000;

  private static final int NAME_BYTES = 256;

  /**
   * A graphics card.
   *
   * @param ordinal its number among the visible ones, from 0
   * @param name NVIDIA's name of it
   * @param major first figure of its compute capability
   * @param minor second figure
   * @param memory its memory in bytes
   * @param multiprocessors how many it has
   */
  public record Card(
      int ordinal, String name, int major, int minor, long memory, int multiprocessors) {
    /** What NVRTC calls its instruction set: {@code sm_90}. */
    public String architecture() {
      return "sm_" + major + minor;
    }

    /** {@code cuda:0 (NVIDIA H200)}. */
    @Override
    public String toString() {
      return "cuda:" + ordinal + " (" + name + ")";
    }
  }

  /** This machine's, loaded on first use, once. */
  private static final class Shared {
    static final Loading.Found<CudaDriver> FOUND = Loading.find(Kind.DRIVER, CudaDriver::new);
  }

  private final Symbols symbols;
  private final String path;
  private final int version;
  private final List<Card> cards;

  private CudaDriver(CudaLibrary library) {
    this.symbols = library.symbols();
    this.path = library.path();
    int initialized = CudaDriverCalls.cuInit(symbols, 0);
    if (initialized != CudaDriverCalls.CUDA_SUCCESS()
        && initialized != CudaDriverCalls.CUDA_ERROR_NO_DEVICE()) {
      throw new NativeException(
          "the CUDA driver " + path + " does not start: cuInit returned " + text(initialized),
          "check with nvidia-smi that the driver's kernel module is loaded and fits the library",
          null);
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_INT);
      check(CudaDriverCalls.cuDriverGetVersion(symbols, out), "cuDriverGetVersion", path);
      this.version = out.get(ValueLayout.JAVA_INT, 0);
    }
    if (version < OLDEST) {
      throw new NativeException(
          "the CUDA driver "
              + path
              + " is too old: it runs CUDA "
              + Loading.version(version)
              + ", and Vauban needs "
              + Loading.version(OLDEST),
          "install a newer driver of NVIDIA's",
          null);
    }
    this.cards =
        initialized == CudaDriverCalls.CUDA_ERROR_NO_DEVICE() ? List.of() : List.copyOf(list());
  }

  /**
   * The driver of this machine, loaded once.
   *
   * @throws NativeException if there is none, or it is too old
   */
  public static CudaDriver load() {
    return Shared.FOUND.orThrow();
  }

  /**
   * The driver in this file; tests give their own.
   *
   * @throws NativeException if it is not a CUDA driver, or too old
   */
  public static CudaDriver load(Path library) {
    return new CudaDriver(Candidate.of(Kind.DRIVER, library).open().orElseThrow());
  }

  /** The file it was loaded from. */
  public String path() {
    return path;
  }

  /** The newest CUDA version it runs, as CUDA writes it: 13000 for 13.0. */
  public int version() {
    return version;
  }

  /** The cards it sees, by ordinal; may be empty. */
  public List<Card> cards() {
    return cards;
  }

  /**
   * Opens a card: everything that is made from the context belongs to it.
   *
   * @throws IllegalArgumentException if there is no such card; the message lists what there is
   * @throws CudaException if the driver refuses
   */
  public CudaContext open(int ordinal) {
    if (ordinal < 0 || ordinal >= cards.size()) {
      throw new IllegalArgumentException(
          "there is no card cuda:"
              + ordinal
              + "; "
              + (cards.isEmpty()
                  ? "the driver sees none"
                  : "there is "
                      + cards.stream().map(Card::toString).collect(Collectors.joining(", "))));
    }
    return new CudaContext(this, cards.get(ordinal));
  }

  Symbols symbols() {
    return symbols;
  }

  int device(int ordinal) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_INT);
      check(CudaDriverCalls.cuDeviceGet(symbols, out, ordinal), "cuDeviceGet", "cuda:" + ordinal);
      return out.get(ValueLayout.JAVA_INT, 0);
    }
  }

  private List<Card> list() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment number = arena.allocate(ValueLayout.JAVA_LONG);
      check(CudaDriverCalls.cuDeviceGetCount(symbols, number), "cuDeviceGetCount", path);
      int count = number.get(ValueLayout.JAVA_INT, 0);
      MemorySegment name = arena.allocate(NAME_BYTES);
      List<Card> found = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        String subject = "cuda:" + i;
        int device = device(i);
        check(
            CudaDriverCalls.cuDeviceGetName(symbols, name, NAME_BYTES, device),
            "cuDeviceGetName",
            subject);
        check(
            CudaDriverCalls.cuDeviceTotalMem_v2(symbols, number, device),
            "cuDeviceTotalMem_v2",
            subject);
        long memory = number.get(ValueLayout.JAVA_LONG, 0);
        found.add(
            new Card(
                i,
                CString.read(name),
                attribute(
                    device, CudaDriverCalls.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR(), number),
                attribute(
                    device, CudaDriverCalls.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR(), number),
                memory,
                attribute(
                    device, CudaDriverCalls.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT(), number)));
      }
      return found;
    }
  }

  private int attribute(int device, int attribute, MemorySegment out) {
    check(
        CudaDriverCalls.cuDeviceGetAttribute(symbols, out, attribute, device),
        "cuDeviceGetAttribute",
        "attribute " + attribute);
    return out.get(ValueLayout.JAVA_INT, 0);
  }

  /**
   * Turns a code other than success into an exception.
   *
   * @param subject what the call was for, as the user should read it
   */
  void check(int code, String function, Object subject) {
    if (code != CudaDriverCalls.CUDA_SUCCESS()) {
      throw new CudaException(
          function,
          code,
          name(code),
          code == CudaDriverCalls.CUDA_ERROR_OUT_OF_MEMORY(),
          function
              + " returned "
              + text(code)
              + " for "
              + subject
              + "; CUDA driver "
              + Loading.version(version)
              + ", "
              + path);
    }
  }

  /** {@code CUDA_ERROR_OUT_OF_MEMORY (2: out of memory)}. */
  String text(int code) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
      int known = CudaDriverCalls.cuGetErrorString(symbols, code, out);
      String words =
          known == CudaDriverCalls.CUDA_SUCCESS()
              ? CString.read(out.get(ValueLayout.ADDRESS, 0))
              : "unknown to this driver";
      return name(code) + " (" + code + ": " + words + ")";
    }
  }

  String name(int code) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
      return CudaDriverCalls.cuGetErrorName(symbols, code, out) == CudaDriverCalls.CUDA_SUCCESS()
          ? CString.read(out.get(ValueLayout.ADDRESS, 0))
          : "error " + code;
    }
  }
}
