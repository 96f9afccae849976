package dev.vauban.natives.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KernelCacheTest {
  private static final String SOURCE = "extern \"C\" __global__ void f(int* x) { x[0] = 1; }";

  @TempDir Path folder;

  @BeforeEach
  void forget() {
    FakeCuda.control().forget();
    FakeCuda.control().nvrtcVersion(13, 0);
  }

  private KernelCache cache() {
    return new KernelCache(folder.resolve("kernels"), Nvrtc.load(FakeCuda.library()));
  }

  private Path onlyEntry() throws IOException {
    try (Stream<Path> files = Files.list(folder.resolve("kernels"))) {
      List<Path> all = files.toList();
      assertThat(all).hasSize(1);
      return all.get(0);
    }
  }

  @Test
  void aKernelIsCompiledOnceForAllProcesses() throws IOException {
    KernelCache first = cache();
    byte[] image = first.compile(SOURCE, "f.cu", "sm_90", List.of());
    assertThat(first.compile(SOURCE, "f.cu", "sm_90", List.of())).isEqualTo(image);
    assertThat(first.compiled()).isEqualTo(1);
    KernelCache another = cache();
    assertThat(another.compile(SOURCE, "g.cu", "sm_90", List.of())).isEqualTo(image);
    assertThat(another.compiled()).isZero();
    assertThat(onlyEntry().getFileName().toString()).matches("[0-9a-f]{64}\\.cubin");
  }

  @Test
  void whatTheResultDependsOnIsInTheKey() {
    KernelCache cache = cache();
    cache.compile(SOURCE, "f.cu", "sm_90", List.of());
    cache.compile(SOURCE + " ", "f.cu", "sm_90", List.of());
    cache.compile(SOURCE, "f.cu", "sm_80", List.of());
    cache.compile(SOURCE, "f.cu", "sm_90", List.of("-DX=1"));
    FakeCuda.control().nvrtcVersion(13, 1);
    KernelCache newer = cache();
    newer.compile(SOURCE, "f.cu", "sm_90", List.of());
    assertThat(cache.compiled()).isEqualTo(4);
    assertThat(newer.compiled()).isEqualTo(1);
  }

  @Test
  void aDamagedEntryIsCompiledAgain() throws IOException {
    byte[] image = cache().compile(SOURCE, "f.cu", "sm_90", List.of());
    Path entry = onlyEntry();
    byte[] whole = Files.readAllBytes(entry);
    byte[] changed = whole.clone();
    changed[whole.length / 2] ^= 1;
    byte[] cut = java.util.Arrays.copyOf(whole, whole.length - 7);
    for (byte[] damaged : List.of(changed, cut, new byte[3], new byte[0])) {
      Files.write(entry, damaged);
      KernelCache cache = cache();
      assertThat(cache.compile(SOURCE, "f.cu", "sm_90", List.of())).hasSameSizeAs(image);
      assertThat(cache.compiled()).isEqualTo(1);
      assertThat(cache().compile(SOURCE, "f.cu", "sm_90", List.of())).hasSameSizeAs(image);
      assertThat(Files.readAllBytes(entry)).hasSameSizeAs(whole);
    }
  }

  @Test
  void aFolderThatCannotBeWrittenOnlyCostsTime() throws IOException {
    Files.write(folder.resolve("kernels"), new byte[1]); // a file where the folder would be
    KernelCache cache = cache();
    cache.compile(SOURCE, "f.cu", "sm_90", List.of());
    cache.compile(SOURCE, "f.cu", "sm_90", List.of());
    assertThat(cache.compiled()).isEqualTo(2);
  }
}
