package dev.vauban.natives.cuda;

import dev.vauban.natives.cuda.generated.CudaDriverCalls;
import dev.vauban.natives.load.Symbols;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A mark in a stream, with the time when the card reached it. */
public final class CudaEvent implements AutoCloseable {
  private final CudaContext context;
  private final MemorySegment handle;

  CudaEvent(CudaContext context, MemorySegment handle) {
    this.context = context;
    this.handle = handle;
    Symbols symbols = context.driver().symbols();
    context.keep(
        this,
        () ->
            context.check(
                CudaDriverCalls.cuEventDestroy_v2(symbols, handle),
                "cuEventDestroy_v2",
                "an event"));
  }

  /** Whether it has happened (or was never recorded). */
  public boolean happened() {
    int code = CudaDriverCalls.cuEventQuery(context.use(), handle);
    if (code == CudaDriverCalls.CUDA_ERROR_NOT_READY()) {
      return false;
    }
    context.check(code, "cuEventQuery", "an event");
    return true;
  }

  /** Waits until it has happened. */
  public void synchronize() {
    context.check(
        CudaDriverCalls.cuEventSynchronize(context.use(), handle),
        "cuEventSynchronize",
        "work started before");
  }

  /** Milliseconds of the card's own clock from an earlier event to this one; waits for both. */
  public double millisecondsSince(CudaEvent earlier) {
    earlier.synchronize();
    synchronize();
    Symbols symbols = context.use();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_FLOAT);
      context.check(
          CudaDriverCalls.cuEventElapsedTime(symbols, out, earlier.handle, handle),
          "cuEventElapsedTime",
          "two events");
      return out.get(ValueLayout.JAVA_FLOAT, 0);
    }
  }

  MemorySegment handle() {
    return handle;
  }

  @Override
  public void close() {
    context.release(this);
  }
}
