package dev.vauban.tensor.backend.cuda;

import dev.vauban.natives.cuda.CublasLt;
import dev.vauban.natives.cuda.CudaDriver;
import dev.vauban.natives.cuda.FakeCuda;
import dev.vauban.natives.cuda.Nvrtc;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** The CUDA backend on a card that is the processor. */
public final class FakeCard {
  /** Compiled kernels stay here from one run of the tests to the next, until the fake changes. */
  private static final class Cache {
    static final Path FOLDER =
        Path.of(
            System.getProperty("java.io.tmpdir"),
            FakeCuda.folder().getFileName().toString().replace("cuda", "kernels"));
  }

  private FakeCard() {}

  /** A device; the test is skipped where there is no g++. */
  public static CudaDevice open() {
    return open(Choices.Precision.F32);
  }

  static CudaDevice open(Choices.Precision precision) {
    return open(Choices.Settings.DEFAULT.with(precision), Optional.empty(), Cache.FOLDER);
  }

  /** With convolutions by stored patches. */
  static CudaDevice openWithPatches(Choices.Precision precision) {
    return open(
        new Choices.Settings(precision, Choices.Convolution.PATCHES),
        Optional.empty(),
        Cache.FOLDER);
  }

  /** With contractions by the stand-in for cuBLASLt. */
  static CudaDevice openWithLibrary() {
    return openWithLibrary(Choices.Convolution.IMPLICIT, Cache.FOLDER);
  }

  /** With the stand-in, convolutions computed this way, and what is measured kept there. */
  static CudaDevice openWithLibrary(Choices.Convolution convolution, Path measured) {
    return open(
        Choices.Settings.DEFAULT.with(convolution),
        Optional.of(CublasLt.load(FakeCuda.library())),
        measured);
  }

  private static CudaDevice open(
      Choices.Settings settings, Optional<CublasLt> library, Path measured) {
    Path fake = FakeCuda.library();
    return CudaDevice.open(
        CudaDriver.load(fake), Nvrtc.load(fake), library, Cache.FOLDER, measured, 0, settings);
  }

  /** Compiles the kernels of many programs at once: one by one would take much longer. */
  public static void prepare(CudaDevice device, Stream<Program> programs) {
    device.card().kernels().load(kernels(device.card().choices(), programs).values());
  }

  /** Runs a plan with threads and blocks in the order from the last to the first. */
  static Tree<Tensor> backwards(Plan plan, Scope scope, Tree<Tensor> inputs) {
    FakeCuda.control().backwards(1);
    try {
      return plan.run(scope, inputs);
    } finally {
      FakeCuda.control().backwards(0);
    }
  }

  /** The kernels of programs, each once. */
  static Map<String, Kernel> kernels(Choices choices, Stream<Program> programs) {
    Map<String, Kernel> all = new LinkedHashMap<>();
    programs.forEach(p -> all.putAll(Lowering.program(p.graph(), choices).kernels()));
    return all;
  }
}
