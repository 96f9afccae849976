package dev.vauban.tensor.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.vauban.natives.NativeException;
import dev.vauban.natives.cuda.Nvrtc;
import dev.vauban.tensor.DType;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.PoolOp;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.ReduceOp;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.Window;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every kernel of the test programs by NVIDIA's compilers, nvcc or NVRTC, for three generations of
 * cards; no card is needed.
 */
class CudaCompileTest {
  private static final List<String> ARCHITECTURES = List.of("sm_80", "sm_90", "sm_100");

  /** A compiler takes longer for one large file than for several. */
  private static final int PER_FILE = 400;

  private interface Compiler {
    void compile(String source, String architecture) throws IOException, InterruptedException;
  }

  @Test
  void everyKernelCompiles(@TempDir Path folder) {
    Compiler compiler = compiler(folder);
    assumeTrue(
        compiler != null,
        "SKIPPED: neither nvcc nor NVRTC on this machine, so no kernel is compiled for a card");
    Map<String, Kernel> kernels = new LinkedHashMap<>();
    for (Choices.Precision precision : Choices.Precision.values()) {
      Choices choices = new Choices(precision, false, true);
      kernels.putAll(FakeCard.kernels(choices, CudaBackendTest.values()));
      kernels.putAll(FakeCard.kernels(choices, CudaPlanTest.programs()));
      kernels.putAll(FakeCard.kernels(choices, huge()));
      Choices.Settings patches = choices.settings().with(Choices.Convolution.PATCHES);
      kernels.putAll(
          FakeCard.kernels(
              new Choices(patches, false, true, Ways.IMPLICIT), CudaConvolutionsTest.programs()));
      kernels.putAll(FakeCard.kernels(choices, CudaBackendTest.gradients()));
    }
    assertThat(kernels.keySet()).anyMatch(k -> k.startsWith("mmaTf32"));
    assertThat(kernels.keySet()).anyMatch(k -> k.startsWith("mmaBf16"));
    List<Kernel> all = List.copyOf(kernels.values());
    IntStream.range(0, ARCHITECTURES.size()).parallel().forEach(a -> compile(compiler, all, a));
  }

  /** Programs on arrays of more than 2^31 elements, whose positions take 64 bits. */
  static Stream<Program> huge() {
    Type images = Type.f32(400_000, 32, 32, 8);
    Type key = Type.i32(3, 2);
    Shape many = Shape.of(1_200_000_000);
    return Stream.<Function<Expr, Expr>>of(
            x -> x.mul(2).exp(),
            x -> x.sum(0, 1, 2),
            x -> x.sum(3),
            x -> x.transpose(3, 1, 2, 0),
            x -> x.slice(1, 1, 30).mul(3).cast(DType.BF16),
            x -> x.pad(new int[4], new int[] {0, 1, 1, 0}, new int[4]),
            x -> x.maxPool(PoolOp.PoolWindow.square(3)),
            x -> x.convolve(Expr.iota(Type.f32(3, 3, 8, 8), 0), Window.of(1, 1), 1),
            x -> x.reshape(-1, 64).matmul(Expr.iota(Type.f32(64, 40), 0)),
            x -> Expr.of(new ReduceOp.ArgReduce(ReduceOp.Kind.MAX, 3), List.of(x)),
            x -> Expr.of(new ReduceOp.ArgSort(0, ReduceOp.Order.ASCENDING, 5), List.of(x)))
        .map(f -> Program.trace(Tree.of("x", images), in -> Tree.of("y", f.apply(in.get("x")))))
        .flatMap(p ->
            Stream.of(
                p,
                Program.trace(
                    Tree.of("key", key), in -> Tree.of("y", in.get("key").normal(many)))));
  }

  private static void compile(Compiler compiler, List<Kernel> all, int architecture) {
    try {
      for (int from = 0; from < all.size(); from += PER_FILE) {
        List<Kernel> part = all.subList(from, Math.min(all.size(), from + PER_FILE));
        compiler.compile(KernelLibrary.source(part), ARCHITECTURES.get(architecture));
      }
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Compiler compiler(Path folder) {
    Optional<Path> nvcc =
        Stream.concat(
                Arrays.stream(System.getenv("PATH").split(File.pathSeparator)),
                Stream.of("/usr/local/cuda/bin"))
            .map(p -> Path.of(p, "nvcc"))
            .filter(Files::isExecutable)
            .findFirst();
    if (nvcc.isPresent()) {
      return (source, architecture) -> nvcc(nvcc.get(), folder, source, architecture);
    }
    try {
      Nvrtc nvrtc = Nvrtc.load();
      return (source, architecture) ->
          nvrtc.compile(source, "kernels.cu", architecture, CudaDevice.OPTIONS);
    } catch (NativeException e) {
      return null;
    }
  }

  private static void nvcc(Path nvcc, Path folder, String source, String architecture)
      throws IOException, InterruptedException {
    Path file = folder.resolve(architecture + ".cu");
    Path log = folder.resolve(architecture + ".log");
    Files.writeString(file, source);
    Process p =
        new ProcessBuilder(
                nvcc.toString(),
                "-std=c++17",
                "--fmad=false",
                "-arch=" + architecture,
                "--cubin",
                "-o",
                folder.resolve(architecture + ".cubin").toString(),
                file.toString())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    int code = p.waitFor();
    assertThat(code).as(() -> read(log)).isZero();
  }

  private static String read(Path log) {
    try {
      String text = Files.readString(log);
      return text.substring(0, Math.min(text.length(), 4000));
    } catch (IOException e) {
      return log + " cannot be read";
    }
  }
}
