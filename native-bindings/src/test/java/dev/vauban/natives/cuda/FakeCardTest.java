package dev.vauban.natives.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** CUDA C++ compiled, loaded, launched, captured and replayed, with the processor as the card. */
class FakeCardTest {
  private CudaContext card;
  private long usedBefore;
  private CudaStream stream;
  private Arena arena;

  @BeforeEach
  void open() {
    FakeCuda.control().forget();
    usedBefore = FakeCuda.control().used();
    card = CudaDriver.load(FakeCuda.library()).open(0);
    stream = card.stream();
    arena = Arena.ofConfined();
  }

  @AfterEach
  void close() {
    arena.close();
    assertThat(FakeCuda.control().fencesAreWhole()).isTrue();
    card.close();
    assertThat(FakeCuda.control().used()).isEqualTo(usedBefore);
  }

  private CudaFunction kernel(String name, String source) {
    Nvrtc nvrtc = Nvrtc.load(FakeCuda.library());
    return card.module(nvrtc.compile(source, name + ".cu", "sm_90", List.of())).function(name);
  }

  private float[] floats(long device, int count) {
    MemorySegment host = card.pinned(count * 4L);
    stream.copyToHost(host, device);
    stream.synchronize();
    return host.toArray(ValueLayout.JAVA_FLOAT);
  }

  private long device(float... values) {
    MemorySegment host = card.pinned(values.length * 4L);
    MemorySegment.copy(values, 0, host, ValueLayout.JAVA_FLOAT, 0, values.length);
    long device = card.allocate(values.length * 4L, "a test");
    stream.copyToDevice(device, host);
    return device;
  }

  @Test
  void threadsOfAllBlocksRun() {
    CudaFunction f =
        kernel(
            "axpy",
            """
            extern "C" __global__ void __launch_bounds__(64) axpy(
                float* __restrict__ y, const float* __restrict__ x, float a, int n) {
              int i = blockIdx.x * blockDim.x + threadIdx.x;
              if (i < n) y[i] += a * x[i];
            }
            """);
    long y = device(1, 2, 3, 4, 5);
    long x = device(10, 20, 30, 40, 50);
    stream.launch(
        f,
        LaunchShape.of(3, 2),
        new CudaArguments(arena, 4).pointer(y).pointer(x).float32(0.5f).int32(5));
    assertThat(floats(y, 5)).containsExactly(6, 12, 18, 24, 30);
  }

  @Test
  void aGraphReplaysWhatWasCapturedOnNewInputs() {
    CudaFunction f =
        kernel(
            "twice",
            """
            extern "C" __global__ void twice(float* x) { x[threadIdx.x] *= 2; }
            """);
    MemorySegment host = card.pinned(8);
    MemorySegment out = card.pinned(8);
    long x = card.allocate(8, "x");
    CudaArguments arguments = new CudaArguments(arena, 1).pointer(x);
    CudaGraph graph =
        stream.capture(() -> {
          stream.copyToDevice(x, host);
          stream.launch(f, LaunchShape.of(1, 2), arguments);
          stream.launch(f, LaunchShape.of(1, 2), arguments);
          stream.copyToHost(out, x);
        });
    assertThat(graph.nodes()).isEqualTo(4);
    for (float value : new float[] {1, 5}) {
      host.set(ValueLayout.JAVA_FLOAT, 0, value);
      host.set(ValueLayout.JAVA_FLOAT, 4, -value);
      graph.launch(stream);
      stream.synchronize();
      assertThat(out.toArray(ValueLayout.JAVA_FLOAT)).containsExactly(4 * value, -4 * value);
    }
    assertThat(FakeCuda.control().calls("cuGraphLaunch")).isEqualTo(2);
  }

  @Test
  void aMeterAddsUpTheTimeOfGraphs() {
    long x = card.allocate(1 << 20, "x");
    CudaGraph graph = stream.capture(() -> stream.set(x, 1, 1 << 18));
    graph.launch(stream);
    long began = System.nanoTime();
    try (GraphMeter meter = GraphMeter.start()) {
      graph.launch(stream);
      graph.launch(stream);
      GraphMeter.Busy busy = meter.busy();
      assertThat(busy.launches()).isEqualTo(2);
      assertThat(busy.milliseconds()).isPositive().isLessThan((System.nanoTime() - began) / 1e6);
      assertThatThrownBy(GraphMeter::start).isInstanceOf(IllegalStateException.class);
    }
    graph.launch(stream);
    GraphMeter.start().close();
  }

  @Test
  void sharedMemoryBarriersAndShufflesWork() {
    CudaFunction f =
        kernel(
            "sum",
            """
            extern "C" __global__ void sum(float* out, const float* x, int n) {
              __shared__ float partial[32];
              extern __shared__ float copy[];
              float s = 0;
              for (int i = threadIdx.x; i < n; i += blockDim.x) s += x[i];
              copy[threadIdx.x] = s;
              for (int w = 16; w > 0; w /= 2) s += __shfl_down_sync(0xffffffffu, s, w);
              if (threadIdx.x % 32 == 0) partial[threadIdx.x / 32] = s;
              __syncthreads();
              if (threadIdx.x == 0) {
                float total = 0, again = 0;
                for (int w = 0; w < blockDim.x / 32; w++) total += partial[w];
                for (int t = 0; t < blockDim.x; t++) again += copy[t];
                out[0] = total;
                out[1] = again;
              }
              unsigned odd = __ballot_sync(0xffffffffu, threadIdx.x & 1);
              if (threadIdx.x == 0) out[2] = odd;
            }
            """);
    float[] values = new float[1000];
    float expected = 0;
    for (int i = 0; i < values.length; i++) {
      values[i] = i % 7;
      expected += values[i];
    }
    long x = device(values);
    long out = device(0, 0, 0);
    stream.launch(
        f,
        new LaunchShape(1, 1, 1, 128, 1, 1, 128 * 4),
        new CudaArguments(arena, 3).pointer(out).pointer(x).int32(values.length));
    assertThat(floats(out, 3)).containsExactly(expected, expected, (float) 0xAAAAAAAAL);
  }

  @Test
  void threadsThatWaitForEachOtherForEverFailAndSoDoesEverythingAfter() {
    CudaFunction f =
        kernel(
            "stuck",
            """
            extern "C" __global__ void stuck(float* x) {
              if (threadIdx.x < 16) __syncthreads();
              else __shfl_sync(0xffffffffu, 1, 0);
              x[0] = 1;
            }
            """);
    long x = device(0);
    stream.launch(f, LaunchShape.of(1, 32), new CudaArguments(arena, 1).pointer(x));
    assertThatThrownBy(stream::synchronize)
        .isInstanceOf(CudaException.class)
        .hasMessageContaining("CUDA_ERROR_LAUNCH_FAILED (719");
    FakeCuda.control().forget();
  }

  @Test
  void anAddressThatIsNoMultipleOfItsTypesSizeIsRefused() {
    CudaFunction f =
        kernel(
            "wide",
            """
            struct __align__(16) four { float e[4]; };
            extern "C" __global__ void wide(float* x, int at) {
              *(four*)(x + at) = four{{1, 2, 3, 4}};
            }
            """);
    long x = device(new float[9]);
    stream.launch(f, LaunchShape.of(1, 1), new CudaArguments(arena, 2).pointer(x).int32(4));
    assertThat(floats(x, 9)).containsExactly(0, 0, 0, 0, 1, 2, 3, 4, 0);
    stream.launch(f, LaunchShape.of(1, 1), new CudaArguments(arena, 2).pointer(x).int32(5));
    assertThatThrownBy(stream::synchronize)
        .isInstanceOf(CudaException.class)
        .hasMessageContaining("CUDA_ERROR_MISALIGNED_ADDRESS (716");
    FakeCuda.control().forget();
  }

  /** A thread that reads its neighbour's element without a barrier, within a block or beyond. */
  @Test
  void whatDependsOnTheOrderOfThreadsShows() {
    String text =
        """
        extern "C" __global__ void NAME(float* x) {
          __shared__ float s[4];
          int i = blockIdx.x * 4 + threadIdx.x;
          s[threadIdx.x] = x[i];
          BARRIER
          x[i] = threadIdx.x > 0 ? s[threadIdx.x - 1] : 0;
        }
        """;
    CudaFunction right =
        kernel("right", text.replace("NAME", "right").replace("BARRIER", "__syncthreads();"));
    CudaFunction wrong = kernel("wrong", text.replace("NAME", "wrong").replace("BARRIER", ""));
    float[] shifted = {0, 1, 2, 3, 0, 5, 6, 7};
    for (int backwards : new int[] {0, 1}) {
      FakeCuda.control().backwards(backwards);
      for (CudaFunction f : List.of(right, wrong)) {
        long x = device(1, 2, 3, 4, 5, 6, 7, 8);
        stream.launch(f, LaunchShape.of(2, 4), new CudaArguments(arena, 1).pointer(x));
        boolean same = java.util.Arrays.equals(floats(x, 8), shifted);
        assertThat(same).isEqualTo(f == right || backwards == 0);
      }
    }
    FakeCuda.control().forget();
  }

  @Test
  void whatACardCannotReplayIsRefused() {
    long x = device(1, 2);
    MemorySegment pageable = arena.allocate(8, 8);
    assertThatThrownBy(() -> stream.capture(() -> stream.copyToDevice(x, pageable)))
        .isInstanceOf(CudaException.class)
        .hasMessageContaining("STREAM_CAPTURE_UNSUPPORTED");
    assertThatThrownBy(() -> stream.capture(() -> card.allocate(8, "late memory")))
        .isInstanceOf(CudaException.class)
        .hasMessageContaining("STREAM_CAPTURE_UNSUPPORTED");
    stream.synchronize(); // the stream is of use again
  }

  @Test
  void addressesAreChecked() {
    long x = card.allocate(8, "x");
    assertThatThrownBy(() -> stream.set(x, 0, 3)).hasMessageContaining("CUDA_ERROR_INVALID_VALUE");
    stream.set(x, Float.floatToRawIntBits(2.5f), 2);
    assertThat(floats(x, 2)).containsExactly(2.5f, 2.5f);
    long y = card.allocate(8, "y");
    stream.copyOnDevice(y, x, 8);
    assertThat(floats(y, 2)).containsExactly(2.5f, 2.5f);
  }

  @Test
  void timePassesBetweenEvents() {
    try (CudaEvent first = card.event();
        CudaEvent second = card.event()) {
      stream.record(first);
      stream.set(card.allocate(1 << 20, "x"), 1, 1 << 18);
      stream.record(second);
      assertThat(second.millisecondsSince(first)).isPositive();
      assertThat(second.happened()).isTrue();
    }
  }
}
