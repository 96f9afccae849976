package dev.vauban.natives.cuda;

import dev.vauban.natives.cuda.generated.CudaDriverCalls;
import dev.vauban.natives.load.Symbols;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A queue of work for the card, done in order. All methods but {@link #synchronize} return at once;
 * work that fails on the card is reported by a later call. To be used from one thread at a time.
 */
public final class CudaStream implements AutoCloseable {
  private final CudaContext context;
  private final MemorySegment handle;

  CudaStream(CudaContext context, MemorySegment handle) {
    this.context = context;
    this.handle = handle;
    Symbols symbols = context.driver().symbols();
    context.keep(
        this,
        () -> {
          context.check(
              CudaDriverCalls.cuStreamSynchronize(symbols, handle),
              "cuStreamSynchronize",
              "work started before");
          context.check(
              CudaDriverCalls.cuStreamDestroy_v2(symbols, handle),
              "cuStreamDestroy_v2",
              "a stream");
        });
  }

  /** Runs a kernel. The arguments are copied now. */
  public void launch(CudaFunction function, LaunchShape shape, CudaArguments arguments) {
    int code =
        CudaDriverCalls.cuLaunchKernel(
            context.use(),
            function.handle(),
            shape.gridX(),
            shape.gridY(),
            shape.gridZ(),
            shape.blockX(),
            shape.blockY(),
            shape.blockZ(),
            shape.sharedBytes(),
            handle,
            arguments.pointers(),
            MemorySegment.NULL);
    if (code != CudaDriverCalls.CUDA_SUCCESS()) {
      context.check(code, "cuLaunchKernel", "the kernel " + function.name() + " in " + shape);
    }
  }

  /**
   * Copies from host to card, as many bytes as the host's memory has. Runs beside kernels if that
   * is {@linkplain CudaContext#pinned pinned}; in a capture it must be.
   */
  public void copyToDevice(long device, MemorySegment host) {
    check(
        CudaDriverCalls.cuMemcpyHtoDAsync_v2(context.use(), device, host, host.byteSize(), handle),
        "cuMemcpyHtoDAsync_v2",
        host.byteSize());
  }

  /** Copies from card to host; see {@link #copyToDevice}. */
  public void copyToHost(MemorySegment host, long device) {
    check(
        CudaDriverCalls.cuMemcpyDtoHAsync_v2(context.use(), host, device, host.byteSize(), handle),
        "cuMemcpyDtoHAsync_v2",
        host.byteSize());
  }

  /** Copies within the card. */
  public void copyOnDevice(long to, long from, long bytes) {
    check(
        CudaDriverCalls.cuMemcpyDtoDAsync_v2(context.use(), to, from, bytes, handle),
        "cuMemcpyDtoDAsync_v2",
        bytes);
  }

  /** Fills device memory with a 32-bit word; the address is a multiple of 4. */
  public void set(long device, int word, long words) {
    check(
        CudaDriverCalls.cuMemsetD32Async(context.use(), device, word, words, handle),
        "cuMemsetD32Async",
        words * Integer.BYTES);
  }

  private void check(int code, String function, long bytes) {
    if (code != CudaDriverCalls.CUDA_SUCCESS()) {
      context.check(code, function, Loading.bytes(bytes));
    }
  }

  /**
   * Waits until everything queued is done.
   *
   * @throws CudaException if any of it failed; the context is then of no use any more
   */
  public void synchronize() {
    context.check(
        CudaDriverCalls.cuStreamSynchronize(context.use(), handle),
        "cuStreamSynchronize",
        "work started before");
  }

  /** Queues an event: it happens when everything before it is done. */
  public void record(CudaEvent event) {
    context.check(
        CudaDriverCalls.cuEventRecord(context.use(), event.handle(), handle),
        "cuEventRecord",
        "an event");
  }

  /** What is queued from now on waits for the event, which another stream recorded. */
  public void waitFor(CudaEvent event) {
    context.check(
        CudaDriverCalls.cuStreamWaitEvent(context.use(), handle, event.handle(), 0),
        "cuStreamWaitEvent",
        "an event");
  }

  /**
   * Writes work down instead of doing it, and makes a graph of it.
   *
   * @param work queues on this stream; what it throws ends the capture and is thrown on
   */
  public CudaGraph capture(Runnable work) {
    beginCapture();
    try {
      work.run();
    } catch (RuntimeException | Error e) {
      abandonCapture(e);
      throw e;
    }
    return endCapture();
  }

  /**
   * From now on work is written down and not done, until {@link #endCapture}. Only this thread's
   * calls are limited by that: others may allocate meanwhile.
   */
  public void beginCapture() {
    context.check(
        CudaDriverCalls.cuStreamBeginCapture_v2(
            context.use(), handle, CudaDriverCalls.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL()),
        "cuStreamBeginCapture_v2",
        "a stream");
  }

  /** Makes a graph of what was written down, ready to launch. */
  public CudaGraph endCapture() {
    Symbols symbols = context.use();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
      context.check(
          CudaDriverCalls.cuStreamEndCapture(symbols, handle, out),
          "cuStreamEndCapture",
          "a stream");
      MemorySegment graph = out.get(ValueLayout.ADDRESS, 0);
      try {
        MemorySegment count = arena.allocate(ValueLayout.JAVA_LONG);
        context.check(
            CudaDriverCalls.cuGraphGetNodes(symbols, graph, MemorySegment.NULL, count),
            "cuGraphGetNodes",
            "a graph");
        int nodes = Math.toIntExact(count.get(ValueLayout.JAVA_LONG, 0));
        context.check(
            CudaDriverCalls.cuGraphInstantiateWithFlags(symbols, out, graph, 0),
            "cuGraphInstantiateWithFlags",
            "a graph of " + nodes + " nodes");
        return new CudaGraph(context, out.get(ValueLayout.ADDRESS, 0), nodes);
      } finally {
        context.check(CudaDriverCalls.cuGraphDestroy(symbols, graph), "cuGraphDestroy", "a graph");
      }
    }
  }

  private void abandonCapture(Throwable cause) {
    try {
      endCapture().close();
    } catch (CudaException e) {
      cause.addSuppressed(e);
    }
  }

  MemorySegment handle() {
    return handle;
  }

  CudaContext context() {
    return context;
  }

  /** Waits for the work, then frees the stream. */
  @Override
  public void close() {
    context.release(this);
  }
}
