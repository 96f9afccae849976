package dev.vauban.natives.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.vauban.natives.NativeException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Codes of the libraries become sentences. */
class CudaErrorsTest {
  @BeforeEach
  void forget() {
    FakeCuda.control().forget();
    FakeCuda.control().nvrtcVersion(13, 0);
  }

  private static CudaDriver driver() {
    return CudaDriver.load(FakeCuda.library());
  }

  private static void everything() {
    try (CudaContext card = driver().open(0);
        Arena arena = Arena.ofConfined()) {
      long a = card.allocate(16, "a test");
      MemorySegment host = card.pinned(16);
      CudaStream stream = card.stream();
      stream.copyToDevice(a, host);
      stream.copyToHost(host, a);
      stream.copyOnDevice(a, a, 16);
      stream.set(a, 0, 4);
      Nvrtc nvrtc = Nvrtc.load(FakeCuda.library());
      String source = "extern \"C\" __global__ void f() {}";
      CudaModule module = card.module(nvrtc.compile(source, "f.cu", "sm_90", List.of()));
      CudaFunction f = module.function("f").allowSharedBytes(100_000);
      assertThat(f.registers()).isZero();
      assertThat(f.localBytes()).isZero();
      assertThat(f.blocksPerMultiprocessor(128, 0)).isEqualTo(16);
      CudaArguments none = new CudaArguments(arena, 0);
      stream.launch(f, LaunchShape.of(1, 1), none);
      CudaEvent first = card.event();
      CudaEvent second = card.event();
      stream.record(first);
      stream.record(second);
      stream.waitFor(first);
      assertThat(second.happened()).isTrue();
      assertThat(second.millisecondsSince(first)).isNotNegative();
      CudaGraph graph = stream.capture(() -> stream.launch(f, LaunchShape.of(1, 1), none));
      graph.launch(stream);
      graph.close();
      stream.synchronize();
      card.synchronize();
      assertThat(card.memoryInfo().total()).isEqualTo(card.card().memory());
      first.close();
      module.close();
      stream.close();
      card.freePinned(host);
      card.free(a);
    }
  }

  @Test
  void nothingFailsWhereNothingIsMadeToFail() {
    long before = FakeCuda.control().used(); // what tests left whose freeing was made to fail
    everything();
    assertThat(FakeCuda.control().used()).isEqualTo(before);
  }

  @ParameterizedTest
  @CsvSource({
    "cuDeviceGetCount, 999, CUDA_ERROR_UNKNOWN",
    "cuDeviceGetName, 999, CUDA_ERROR_UNKNOWN",
    "cuDeviceTotalMem_v2, 999, CUDA_ERROR_UNKNOWN",
    "cuDeviceGetAttribute, 1, CUDA_ERROR_INVALID_VALUE",
    "cuDevicePrimaryCtxRetain, 2, CUDA_ERROR_OUT_OF_MEMORY",
    "cuCtxSetCurrent, 201, CUDA_ERROR_INVALID_CONTEXT",
    "cuMemAlloc_v2, 999, CUDA_ERROR_UNKNOWN",
    "cuMemFree_v2, 1, CUDA_ERROR_INVALID_VALUE",
    "cuMemHostAlloc, 2, CUDA_ERROR_OUT_OF_MEMORY",
    "cuMemFreeHost, 1, CUDA_ERROR_INVALID_VALUE",
    "cuMemGetInfo_v2, 999, CUDA_ERROR_UNKNOWN",
    "cuMemcpyHtoDAsync_v2, 1, CUDA_ERROR_INVALID_VALUE",
    "cuMemcpyDtoHAsync_v2, 700, CUDA_ERROR_ILLEGAL_ADDRESS",
    "cuMemcpyDtoDAsync_v2, 1, CUDA_ERROR_INVALID_VALUE",
    "cuMemsetD32Async, 1, CUDA_ERROR_INVALID_VALUE",
    "cuModuleLoadData, 200, CUDA_ERROR_INVALID_IMAGE",
    "cuModuleUnload, 400, CUDA_ERROR_INVALID_HANDLE",
    "cuModuleGetFunction, 500, CUDA_ERROR_NOT_FOUND",
    "cuFuncGetAttribute, 1, CUDA_ERROR_INVALID_VALUE",
    "cuFuncSetAttribute, 1, CUDA_ERROR_INVALID_VALUE",
    "cuOccupancyMaxActiveBlocksPerMultiprocessor, 1, CUDA_ERROR_INVALID_VALUE",
    "cuLaunchKernel, 701, CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES",
    "cuStreamCreate, 2, CUDA_ERROR_OUT_OF_MEMORY",
    "cuStreamSynchronize, 719, CUDA_ERROR_LAUNCH_FAILED",
    "cuStreamWaitEvent, 400, CUDA_ERROR_INVALID_HANDLE",
    "cuStreamBeginCapture_v2, 900, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED",
    "cuStreamEndCapture, 901, CUDA_ERROR_STREAM_CAPTURE_INVALIDATED",
    "cuEventCreate, 2, CUDA_ERROR_OUT_OF_MEMORY",
    "cuEventRecord, 400, CUDA_ERROR_INVALID_HANDLE",
    "cuEventQuery, 719, CUDA_ERROR_LAUNCH_FAILED",
    "cuEventSynchronize, 719, CUDA_ERROR_LAUNCH_FAILED",
    "cuEventElapsedTime, 400, CUDA_ERROR_INVALID_HANDLE",
    "cuGraphGetNodes, 1, CUDA_ERROR_INVALID_VALUE",
    "cuGraphInstantiateWithFlags, 2, CUDA_ERROR_OUT_OF_MEMORY",
    "cuGraphLaunch, 719, CUDA_ERROR_LAUNCH_FAILED",
    "cuCtxSynchronize, 719, CUDA_ERROR_LAUNCH_FAILED"
  })
  void aCodeBecomesItsNameAndText(String function, int code, String name) {
    FakeCuda.control().fail(function, code, 0);
    CudaException e = catchThrowableOfType(CudaException.class, CudaErrorsTest::everything);
    assertThat(e).hasMessageStartingWith(function + " returned " + name + " (" + code + ": ");
    assertThat(e.function()).isEqualTo(function);
    assertThat(e.code()).isEqualTo(code);
    assertThat(e.error()).isEqualTo(name);
    assertThat(e.outOfMemory()).isEqualTo(code == 2);
    FakeCuda.control().forget();
  }

  @Test
  void outOfMemorySaysWhatWasAskedAndWhatIsFree() {
    FakeCuda.control().machine(13_000, 1, 9, 0, 3L << 20);
    try (CudaContext card = driver().open(0)) {
      card.allocate(1 << 20, "the first");
      assertThatThrownBy(() -> card.allocate(5L << 20, "a slab (5.0 MiB planned)"))
          .isInstanceOf(CudaException.class)
          .hasMessage(
              "cuMemAlloc_v2 returned CUDA_ERROR_OUT_OF_MEMORY (2: out of memory) on cuda:0 (Fake"
                  + " card 0): 5.0 MiB were asked for a slab (5.0 MiB planned); 2.0 MiB of 3.0 MiB"
                  + " are free");
    }
  }

  @Test
  void anUnknownCodeIsStillSaid() {
    FakeCuda.control().fail("cuCtxSynchronize", 12345, 0);
    try (CudaContext card = driver().open(0)) {
      assertThatThrownBy(card::synchronize)
          .hasMessageStartingWith(
              "cuCtxSynchronize returned error 12345 (12345: unknown to this driver)");
    }
  }

  @Test
  void anOldDriverIsRefused() {
    FakeCuda.control().machine(11_080, 1, 8, 0, 1 << 30);
    assertThatThrownBy(CudaErrorsTest::driver)
        .isInstanceOf(NativeException.class)
        .hasMessage(
            "the CUDA driver "
                + FakeCuda.library()
                + " is too old: it runs CUDA 11.8, and Vauban needs 12.0; install a newer driver of"
                + " NVIDIA's");
  }

  @Test
  void aDriverThatDoesNotStartSaysWhy() {
    FakeCuda.control().fail("cuInit", 803, 0);
    assertThatThrownBy(CudaErrorsTest::driver)
        .isInstanceOf(NativeException.class)
        .hasMessageContaining("cuInit returned CUDA_ERROR_SYSTEM_DRIVER_MISMATCH (803: system has")
        .hasMessageContaining("nvidia-smi");
  }

  @Test
  void aDriverWithoutCardsIsOne() {
    FakeCuda.control().machine(13_000, 0, 0, 0, 0);
    CudaDriver driver = driver();
    assertThat(driver.cards()).isEmpty();
    assertThatThrownBy(() -> driver.open(0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("there is no card cuda:0; the driver sees none");
  }

  @Test
  void anotherCardIsOpenedByItsNumber() {
    FakeCuda.control().machine(12_080, 2, 8, 6, 1 << 30);
    try (CudaContext card = driver().open(1)) {
      assertThat(card.card())
          .isEqualTo(new CudaDriver.Card(1, "Fake card 1", 8, 6, 1 << 30, 4))
          .hasToString("cuda:1 (Fake card 1)");
      assertThat(card.card().architecture()).isEqualTo("sm_86");
    }
    assertThatThrownBy(() -> driver().open(2))
        .hasMessage("there is no card cuda:2; there is cuda:0 (Fake card 0), cuda:1 (Fake card 1)");
  }

  @Test
  void aCompilerThatDoesNotFitTheDriverIsRefused() {
    Nvrtc nvrtc = Nvrtc.load(FakeCuda.library());
    FakeCuda.control().machine(12_040, 1, 9, 0, 1 << 30);
    CudaDriver older = driver();
    assertThatThrownBy(() -> nvrtc.checkFits(older))
        .isInstanceOf(NativeException.class)
        .hasMessageContaining("is 13.0, too new for the driver, which runs CUDA 12.4");
    FakeCuda.control().machine(13_000, 1, 12, 0, 1 << 30);
    CudaDriver newCard = driver();
    assertThatThrownBy(() -> nvrtc.checkFits(newCard))
        .hasMessageContaining(
            "does not compile for sm_120, which is cuda:0 (Fake card 0); it knows")
        .hasMessageContaining("sm_80 to sm_100");
    FakeCuda.control().nvrtcVersion(11, 8);
    assertThatThrownBy(() -> Nvrtc.load(FakeCuda.library()))
        .isInstanceOf(NativeException.class)
        .hasMessageContaining("is too old: it is 11.8, and Vauban needs 12.0");
  }

  @Test
  void aProgramThatDoesNotCompileShowsTheLog() {
    Nvrtc nvrtc = Nvrtc.load(FakeCuda.library());
    assertThatThrownBy(() ->
            nvrtc.compile(
                "extern \"C\" __global__ void f(float* x) { y[0] = 1; }",
                "wrong.cu",
                "sm_90",
                List.of()))
        .isInstanceOf(CudaException.class)
        .hasMessageStartingWith(
            "nvrtcCompileProgram returned NVRTC_ERROR_COMPILATION (6) for wrong.cu for sm_90;")
        .hasMessageContaining("wrong.cu:1:")
        .hasMessageContaining("'y' was not declared");
    assertThatThrownBy(() -> nvrtc.compile("", "f.cu", "90", List.of()))
        .hasMessage("'90' is no architecture of a card; an example is sm_90");
  }

  @Test
  void aClosedCardIsOfNoUse() {
    CudaContext card = driver().open(0);
    CudaStream stream = card.stream();
    card.close();
    card.close();
    stream.close(); // was freed with the card
    assertThatThrownBy(() -> card.allocate(1, "x"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("cuda:0 (Fake card 0) is closed");
    assertThatThrownBy(stream::synchronize).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void launchesBeyondAnyCardAreRefused() {
    assertThatThrownBy(() -> LaunchShape.of(0, 32)).hasMessageContaining("grid of 0 x 1 x 1");
    assertThatThrownBy(() -> LaunchShape.of(1, 1025)).hasMessageContaining("1025 x 1 x 1 threads");
    assertThatThrownBy(() -> new LaunchShape(1, 70_000, 1, 1, 1, 1, 0))
        .hasMessageContaining("65535 at most");
    try (Arena arena = Arena.ofConfined()) {
      CudaArguments one = new CudaArguments(arena, 1).int32(1);
      assertThatThrownBy(() -> one.int32(2)).hasMessageContaining("the 1 arguments");
    }
  }
}
