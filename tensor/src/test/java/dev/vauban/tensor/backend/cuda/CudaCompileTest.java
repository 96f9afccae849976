package dev.vauban.tensor.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.vauban.natives.NativeException;
import dev.vauban.natives.cuda.Nvrtc;
import dev.vauban.tensor.Program;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The kernels of all test programs by NVIDIA's compilers, nvcc or NVRTC, for three generations of
 * cards; no card is needed. Products are compiled for all three; the others, of which there are
 * thousands, in turn for one of them, or for all with {@code -Dvauban.cuda.kernels=all}.
 */
class CudaCompileTest {
  private static final List<String> ARCHITECTURES = List.of("sm_80", "sm_90", "sm_100");
  private static final boolean ALL = "all".equals(System.getProperty("vauban.cuda.kernels"));

  private interface Compiler {
    void compile(String source, String architecture) throws Exception;
  }

  private static Stream<Program> programs() {
    return Stream.concat(CudaBackendTest.programs(), CudaPlanTest.programs());
  }

  @Test
  void everyKernelCompiles(@TempDir Path folder) throws Exception {
    Compiler compiler = compiler(folder);
    assumeTrue(
        compiler != null,
        "SKIPPED: neither nvcc nor NVRTC on this machine, so no kernel is compiled for a card");
    Map<String, Kernel> kernels = new LinkedHashMap<>();
    for (Choices.Precision precision : Choices.Precision.values()) {
      kernels.putAll(FakeCard.kernels(new Choices(precision, false, true), programs()));
    }
    assertThat(kernels.keySet()).anyMatch(k -> k.startsWith("mmaTf32"));
    assertThat(kernels.keySet()).anyMatch(k -> k.startsWith("mmaBf16"));
    List<Kernel> all = List.copyOf(kernels.values());
    for (int a = 0; a < ARCHITECTURES.size(); a++) {
      List<Kernel> some = new ArrayList<>();
      for (int i = 0; i < all.size(); i++) {
        if (ALL || isProduct(all.get(i)) || i % ARCHITECTURES.size() == a) {
          some.add(all.get(i));
        }
      }
      compiler.compile(KernelLibrary.source(some), ARCHITECTURES.get(a));
    }
  }

  private static boolean isProduct(Kernel k) {
    return k.name().startsWith("product_") || k.name().startsWith("mma");
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
