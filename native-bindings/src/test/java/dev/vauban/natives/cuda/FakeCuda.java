package dev.vauban.natives.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Assumptions;

/**
 * A graphics card that is the processor: one library with the interfaces of the CUDA driver, NVRTC
 * and cuBLASLt, made by this machine's g++ when first used (some seconds; kept in the folder for
 * temporary files).
 *
 * <pre>{@code
 * Path fake = FakeCuda.library();          // skips the test where there is no g++
 * CudaDriver driver = CudaDriver.load(fake);
 * Nvrtc nvrtc = Nvrtc.load(fake);          // "compiles" CUDA C++ with g++, see on_cpu.h
 * CublasLt lt = CublasLt.load(fake);
 * }</pre>
 *
 * <p>It runs kernels block by block and thread by thread; shared memory, barriers, warp shuffles
 * and atomics work, tensor cores and inline PTX do not (a kernel sees {@code VAUBAN_ON_CPU}
 * defined). An address that is no multiple of what its type asks for is an error, as on a card.
 * Streams do their work at once, or as late as they may ({@link #lazy}): a missing wait between
 * streams shows if they are tried both ways. Device memory and shared memory are full of NaNs until
 * written, and writing beside an allocation is noticed when it is freed.
 */
public final class FakeCuda {
  private static final String COMPILER = "g++";
  private static final List<String> SOURCES =
      List.of("fake_driver.cpp", "fake_blocks.cpp", "fake_nvrtc.cpp", "fake_cublaslt.cpp");
  private static final List<String> HEADERS = List.of("fake.h", "on_cpu.h");

  /** What the search for libraries looks for. */
  private static final List<String> NAMES =
      List.of("libcuda.so.1", "libnvrtc.so.13", "libcublasLt.so.13", "libcudart.so.13");

  /** Built on first use; null where it cannot be. */
  private static final class Built {
    static final Path LIBRARY = build();
  }

  private static final FakeCuda INSTANCE = new FakeCuda();

  private FakeCuda() {}

  /** The library; a test is skipped where this machine has no g++. */
  public static Path library() {
    Assumptions.assumeTrue(
        Built.LIBRARY != null,
        "skipped: no " + COMPILER + " on this machine, so CUDA code is not run on the processor");
    return Built.LIBRARY;
  }

  /**
   * A folder with the library under all its names: {@code -Dvauban.cuda=FOLDER}, set before the
   * first use, makes it this machine's card.
   */
  public static Path folder() {
    return library().getParent();
  }

  /** What a test says to the card and asks it. */
  public static FakeCuda control() {
    library();
    return INSTANCE;
  }

  /**
   * As after the first load: one card of compute capability 9.0 with 8 GiB, no failures, no calls.
   */
  public void forget() {
    call("fake_forget", FunctionDescriptor.ofVoid());
  }

  /**
   * Makes it another machine; drivers loaded from now on see it.
   *
   * @param version of the driver, 13000 for CUDA 13.0
   * @param cards how many, up to 16
   * @param major first figure of their compute capability
   * @param minor second figure
   * @param memory of each in bytes
   */
  public void machine(int version, int cards, int major, int minor, long memory) {
    call(
        "fake_machine",
        FunctionDescriptor.ofVoid(
            ValueLayout.JAVA_INT,
            ValueLayout.JAVA_INT,
            ValueLayout.JAVA_INT,
            ValueLayout.JAVA_INT,
            ValueLayout.JAVA_LONG),
        version,
        cards,
        major,
        minor,
        memory);
  }

  /** NVRTC's version from now on. */
  public void nvrtcVersion(int major, int minor) {
    call(
        "fake_nvrtc_version",
        FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT),
        major,
        minor);
  }

  /**
   * Makes one call fail.
   *
   * @param function its C name, such as {@code cuMemAlloc_v2}
   * @param code what it returns
   * @param after how many calls of it go well before
   */
  public void fail(String function, int code, long after) {
    try (Arena arena = Arena.ofConfined()) {
      call(
          "fake_fail",
          FunctionDescriptor.ofVoid(
              ValueLayout.ADDRESS, ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG),
          CText.of(function, arena),
          code,
          after);
    }
  }

  /** How often a function was called since {@link #forget}. */
  public long calls(String function) {
    try (Arena arena = Arena.ofConfined()) {
      return (long)
          call(
              "fake_calls",
              FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.ADDRESS),
              CText.of(function, arena));
    }
  }

  /**
   * Makes streams lazy: they work when somebody waits for them and no earlier, the others at once.
   * A card may do either, and anything between.
   *
   * @param streams bits, the lowest for the stream that is made next
   */
  public void lazy(int streams) {
    call("fake_lazy", FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT), streams);
  }

  /**
   * Makes kernels run from the last thread and block to the first: what a thread sees of another's
   * work without a barrier between them is then something else.
   *
   * @param backwards 1 for that, 0 for the usual order
   */
  public void backwards(int backwards) {
    call("fake_backwards", FunctionDescriptor.ofVoid(ValueLayout.JAVA_INT), backwards);
  }

  /** Bytes that were copied from the host to the card since {@link #forget}. */
  public long copiedToCard() {
    return (long) call("fake_copied_to_card", FunctionDescriptor.of(ValueLayout.JAVA_LONG));
  }

  /** Bytes that were copied from the card to the host since {@link #forget}. */
  public long copiedToHost() {
    return (long) call("fake_copied_to_host", FunctionDescriptor.of(ValueLayout.JAVA_LONG));
  }

  /** Whether nothing was written beside any piece of device memory that is allocated now. */
  public boolean fencesAreWhole() {
    return (int) call("fake_fences_are_whole", FunctionDescriptor.of(ValueLayout.JAVA_INT)) == 1;
  }

  /** Bytes of device memory that are allocated now. */
  public long used() {
    return (long) call("fake_used", FunctionDescriptor.of(ValueLayout.JAVA_LONG));
  }

  private static Object call(String name, FunctionDescriptor type, Object... arguments) {
    MemorySegment function =
        SymbolLookup.libraryLookup(library(), Arena.global()).find(name).orElseThrow();
    try {
      return Linker.nativeLinker().downcallHandle(function, type).invokeWithArguments(arguments);
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  private static Path build() {
    try {
      Map<String, byte[]> files = new TreeMap<>();
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (List<String> names : List.of(SOURCES, HEADERS)) {
        for (String name : names) {
          try (InputStream in = FakeCuda.class.getResourceAsStream("fake/" + name)) {
            byte[] bytes = in.readAllBytes();
            files.put(name, bytes);
            digest.update(bytes);
          }
        }
      }
      digest.update(NAMES.toString().getBytes(StandardCharsets.UTF_8));
      String key = HexFormat.of().formatHex(digest.digest()).substring(0, 16);
      Path temporary = Path.of(System.getProperty("java.io.tmpdir"));
      Path finished =
          temporary.resolve("vauban-fake-cuda-" + System.getProperty("user.name") + "-" + key);
      Path library = finished.resolve("libfakecuda.so");
      return Files.exists(library) || compile(files, finished, library) ? library : null;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (java.security.NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** In a folder of its own, renamed when it is complete: other JVMs may build at the same time. */
  private static boolean compile(Map<String, byte[]> files, Path finished, Path library)
      throws IOException {
    Path folder = Files.createTempDirectory(finished.getParent(), "vauban-fake-cuda-part");
    List<String> command =
        new ArrayList<>(
            List.of(
                COMPILER,
                "-std=c++20",
                "-O2",
                "-fPIC",
                "-shared",
                "-fvisibility=hidden",
                "-DFAKE_COMPILER=\"" + COMPILER + "\"",
                "-DON_CPU_H=\"" + finished.resolve("on_cpu.h") + "\"",
                "-o",
                library.getFileName().toString()));
    for (Map.Entry<String, byte[]> file : files.entrySet()) {
      Files.write(folder.resolve(file.getKey()), file.getValue());
    }
    command.addAll(SOURCES);
    command.add("-ldl");
    Path log = folder.resolve("log");
    Process process;
    try {
      process =
          new ProcessBuilder(command)
              .directory(folder.toFile())
              .redirectErrorStream(true)
              .redirectOutput(log.toFile())
              .start();
    } catch (IOException e) {
      return false; // no compiler
    }
    try {
      if (process.waitFor() != 0) {
        throw new IllegalStateException(
            "the fake CUDA library does not compile:\n"
                + new String(Files.readAllBytes(log), StandardCharsets.UTF_8));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
    for (String name : NAMES) {
      Files.createSymbolicLink(folder.resolve(name), library.getFileName());
    }
    try {
      Files.move(folder, finished, StandardCopyOption.ATOMIC_MOVE);
    } catch (FileAlreadyExistsException | java.nio.file.DirectoryNotEmptyException e) {
      // Another JVM was faster; its build is the same.
    }
    return true;
  }
}
