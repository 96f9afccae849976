package dev.vauban.tensor.backend.cuda;

import dev.vauban.natives.cuda.CublasLt;
import dev.vauban.natives.cuda.CudaDriver;
import dev.vauban.natives.cuda.FakeCuda;
import dev.vauban.natives.cuda.Nvrtc;
import dev.vauban.tensor.Program;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** The CUDA backend on a card that is the processor. */
public final class FakeCard {
  /** Compiled kernels stay here from one run of the tests to the next. */
  private static final Path CACHE =
      Path.of(
          System.getProperty("java.io.tmpdir"),
          "vauban-fake-kernels-" + System.getProperty("user.name"));

  private FakeCard() {}

  /** A device; the test is skipped where there is no g++. */
  public static CudaDevice open() {
    return open(Choices.Precision.F32);
  }

  static CudaDevice open(Choices.Precision precision) {
    return open(precision, Optional.empty());
  }

  /** With contractions by the stand-in for cuBLASLt. */
  static CudaDevice openWithLibrary() {
    return open(Choices.Precision.F32, Optional.of(CublasLt.load(FakeCuda.library())));
  }

  private static CudaDevice open(Choices.Precision precision, Optional<CublasLt> library) {
    Path fake = FakeCuda.library();
    return CudaDevice.open(CudaDriver.load(fake), Nvrtc.load(fake), library, CACHE, 0, precision);
  }

  /** Compiles the kernels of many programs at once: one by one would take much longer. */
  public static void prepare(CudaDevice device, Stream<Program> programs) {
    device.card().kernels().load(kernels(device.card().choices(), programs).values());
  }

  /** The kernels of programs, each once. */
  static Map<String, Kernel> kernels(Choices choices, Stream<Program> programs) {
    Map<String, Kernel> all = new LinkedHashMap<>();
    programs.forEach(p -> all.putAll(Lowering.program(p.graph(), choices).kernels()));
    return all;
  }
}
