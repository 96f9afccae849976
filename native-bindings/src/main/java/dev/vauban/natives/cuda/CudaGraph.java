package dev.vauban.natives.cuda;

import dev.vauban.natives.cuda.generated.CudaDriverCalls;
import dev.vauban.natives.load.Symbols;
import java.lang.foreign.MemorySegment;

/** Captured work that the card replays with one launch. */
public final class CudaGraph implements AutoCloseable {
  private final CudaContext context;
  private final MemorySegment handle;
  private final int nodes;

  CudaGraph(CudaContext context, MemorySegment handle, int nodes) {
    this.context = context;
    this.handle = handle;
    this.nodes = nodes;
    Symbols symbols = context.driver().symbols();
    context.keep(
        this,
        () ->
            context.check(
                CudaDriverCalls.cuGraphExecDestroy(symbols, handle),
                "cuGraphExecDestroy",
                "a graph"));
  }

  /** Kernels, copies and fills in it. */
  public int nodes() {
    return nodes;
  }

  /** Queues all of it on the stream. A graph is run once at a time. */
  public void launch(CudaStream stream) {
    GraphMeter meter = GraphMeter.running();
    if (meter != null) {
      meter.time(context, stream, () -> launchNow(stream));
    } else {
      launchNow(stream);
    }
  }

  private void launchNow(CudaStream stream) {
    int code = CudaDriverCalls.cuGraphLaunch(context.use(), handle, stream.handle());
    if (code != CudaDriverCalls.CUDA_SUCCESS()) {
      context.check(code, "cuGraphLaunch", "a graph of " + nodes + " nodes");
    }
  }

  @Override
  public void close() {
    context.release(this);
  }
}
