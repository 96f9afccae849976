package dev.vauban.natives.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vauban.natives.NativeException;
import dev.vauban.natives.cuda.FakeCuda;
import dev.vauban.natives.load.CudaLibrary.Candidate;
import dev.vauban.natives.load.CudaLibrary.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where libraries are looked for, on machines made of empty files. */
class CudaLibraryTest {
  @TempDir Path root;
  private final Map<String, String> environment = new HashMap<>();

  @BeforeEach
  void empty() {
    environment.clear();
  }

  private Path file(String path) throws IOException {
    Path file = root.resolve(path);
    Files.createDirectories(file.getParent());
    return Files.write(file, new byte[0]);
  }

  private List<String> found(Kind kind, String choice) {
    CudaFolders folders = new CudaFolders(root, environment, root.resolve("home/me"));
    return CudaLibrary.candidates(kind, choice, folders).stream()
        .filter(c -> c.file() != null)
        .map(c -> root.relativize(c.file()).toString())
        .toList();
  }

  @Test
  void aMachineWithoutCudaHasOnlyTheLinkersNames() {
    assertThat(found(Kind.NVRTC, "")).isEmpty();
    assertThat(CudaLibrary.candidates(Kind.DRIVER, "", new CudaFolders(root, environment, root)))
        .extracting(Candidate::name)
        .containsExactly("libcuda.so.1");
  }

  @Test
  void toolkitsAreSearchedNewestFirst() throws IOException {
    file("usr/local/cuda-9.2/lib64/libnvrtc.so.9.2");
    file("usr/local/cuda-13.0/lib64/libnvrtc.so.13");
    file("usr/local/cuda-12.8/targets/x86_64-linux/lib/libnvrtc.so.12");
    file("usr/lib/x86_64-linux-gnu/libnvrtc.so.11.2");
    assertThat(found(Kind.NVRTC, ""))
        .containsExactly(
            "usr/local/cuda-13.0/lib64/libnvrtc.so.13",
            "usr/local/cuda-12.8/targets/x86_64-linux/lib/libnvrtc.so.12",
            "usr/local/cuda-9.2/lib64/libnvrtc.so.9.2",
            "usr/lib/x86_64-linux-gnu/libnvrtc.so.11.2");
  }

  @Test
  void aVariableThatNamesAToolkitComesFirst() throws IOException {
    file("usr/local/cuda/lib64/libcublasLt.so.13");
    file("opt/mine/lib64/libcublasLt.so.12");
    environment.put("CUDA_HOME", root.resolve("opt/mine").toString());
    assertThat(found(Kind.CUBLAS_LT, ""))
        .containsExactly(
            "opt/mine/lib64/libcublasLt.so.12", "usr/local/cuda/lib64/libcublasLt.so.13");
  }

  @Test
  void pipsPackagesAreFoundInEveryLayout() throws IOException {
    file("venv/lib/python3.12/site-packages/nvidia/cuda_nvrtc/lib/libnvrtc.so.12");
    file("usr/lib/python3/dist-packages/nvidia/cu13/lib/libnvrtc.so.13");
    file("home/me/.local/lib/python3.11/site-packages/nvidia/cuda_nvrtc/lib/libnvrtc.so.12");
    file(
        "home/me/.pyenv/versions/3.13.0/lib/python3.13/site-packages/nvidia/cu13/lib/libnvrtc.so.13");
    file("path/lib/nvidia/cu13/lib/libnvrtc.so.13");
    file("tools/bin/python3");
    file("tools/lib/python3.10/site-packages/nvidia/cu12/lib/libnvrtc.so.12");
    environment.put("VIRTUAL_ENV", root.resolve("venv").toString());
    environment.put("PYTHONPATH", "/no/such/place:" + root.resolve("path/lib"));
    environment.put("PATH", root.resolve("tools/bin").toString());
    assertThat(found(Kind.NVRTC, ""))
        .containsExactly(
            "path/lib/nvidia/cu13/lib/libnvrtc.so.13",
            "venv/lib/python3.12/site-packages/nvidia/cuda_nvrtc/lib/libnvrtc.so.12",
            "tools/lib/python3.10/site-packages/nvidia/cu12/lib/libnvrtc.so.12",
            "home/me/.pyenv/versions/3.13.0/lib/python3.13/site-packages/nvidia/cu13/lib/libnvrtc.so.13",
            "home/me/.local/lib/python3.11/site-packages/nvidia/cuda_nvrtc/lib/libnvrtc.so.12",
            "usr/lib/python3/dist-packages/nvidia/cu13/lib/libnvrtc.so.13");
  }

  @Test
  void namesOfOneFileAreOneCandidateAndOthersAreNone() throws IOException {
    Path real = file("usr/local/cuda/lib64/libnvrtc.so.13.0.88");
    Files.createSymbolicLink(real.resolveSibling("libnvrtc.so.13"), real.getFileName());
    Files.createSymbolicLink(real.resolveSibling("libnvrtc.so"), Path.of("libnvrtc.so.13"));
    file("usr/local/cuda/lib64/libnvrtc-builtins.so.13.0");
    file("usr/local/cuda/lib64/libnvrtc.alt.so.13");
    assertThat(found(Kind.NVRTC, "")).containsExactly("usr/local/cuda/lib64/libnvrtc.so.13.0.88");
  }

  @Test
  void theDriverIsWhereItsPackagesPutIt() throws IOException {
    file("usr/local/nvidia/lib64/libcuda.so.1");
    file("usr/lib/wsl/lib/libcuda.so.1");
    file("usr/local/cuda/lib64/stubs/libcuda.so"); // for linking only
    assertThat(found(Kind.DRIVER, ""))
        .containsExactly("usr/lib/wsl/lib/libcuda.so.1", "usr/local/nvidia/lib64/libcuda.so.1");
  }

  @Test
  void aFolderThatIsNamedIsMeant() throws IOException {
    file("usr/local/cuda/lib64/libnvrtc.so.13");
    file("mine/lib64/libnvrtc.so.12");
    file("mine/libcublasLt.so.12");
    String mine = root.resolve("mine").toString();
    assertThat(found(Kind.NVRTC, mine)).containsExactly("mine/lib64/libnvrtc.so.12");
    assertThat(found(Kind.CUBLAS_LT, mine)).containsExactly("mine/libcublasLt.so.12");
    assertThat(found(Kind.RUNTIME, mine)).isEmpty();
    assertThatThrownBy(() -> found(Kind.NVRTC, mine + "/no"))
        .isInstanceOf(NativeException.class)
        .hasMessage(
            "vauban.cuda names "
                + mine
                + "/no, which is not a folder; give the folder of a CUDA toolkit or of its"
                + " libraries, or off");
  }

  @Test
  void offIsOff() {
    assertThatThrownBy(() -> found(Kind.DRIVER, "off"))
        .isInstanceOf(NativeException.class)
        .hasMessageStartingWith("CUDA is switched off by vauban.cuda=off");
  }

  @Test
  void aFileThatIsNoLibraryIsNamed() throws IOException {
    Path empty = file("libnvrtc.so.13");
    assertThatThrownBy(() -> Candidate.of(Kind.NVRTC, empty).open())
        .isInstanceOf(NativeException.class)
        .hasMessageStartingWith("NVRTC cannot be loaded from " + empty + ": the file is empty;");
    assertThatThrownBy(() -> Candidate.of(Kind.DRIVER, root.resolve("none")).open())
        .hasMessageContaining("there is no such file; install NVIDIA's driver");
  }

  @Test
  void aLibraryOfAnotherKindIsRefused() {
    Path libc = Path.of("/lib/x86_64-linux-gnu/libm.so.6");
    org.junit.jupiter.api.Assumptions.assumeTrue(Files.exists(libc), "no " + libc);
    assertThatThrownBy(() -> Candidate.of(Kind.DRIVER, libc).open())
        .hasMessageContaining("it is a library, but not the CUDA driver");
  }

  @Test
  void aLibraryWithAllFunctionsIsOpened() {
    CudaLibrary library = Candidate.of(Kind.DRIVER, FakeCuda.library()).open().orElseThrow();
    assertThat(library.path()).isEqualTo(FakeCuda.library().toString());
    assertThat(library.symbols().at("cuInit").address()).isNotZero();
  }

  @Test
  void theFakeCardIsFoundInItsFolder() {
    for (Kind kind : Kind.values()) {
      List<Candidate> candidates =
          CudaLibrary.candidates(kind, FakeCuda.folder().toString(), CudaFolders.ofThisMachine());
      assertThat(candidates.get(0).open()).isPresent();
    }
  }

  @Test
  void whatIsMissingSaysEveryReasonOnce() {
    assertThat(CudaLibrary.missing(Kind.CUBLAS_LT, List.of()))
        .hasMessageStartingWith(
            "cuBLASLt cannot be used: there is no libcublasLt.so on this machine");
    assertThat(CudaLibrary.missing(Kind.CUBLAS_LT, List.of("a is b", "c is d")))
        .hasMessageStartingWith(
            "cuBLASLt cannot be used: a is b; c is d; install a CUDA toolkit or pip's nvidia-cublas");
  }
}
