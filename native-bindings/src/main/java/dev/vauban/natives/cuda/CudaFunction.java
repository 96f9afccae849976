package dev.vauban.natives.cuda;

import dev.vauban.natives.cuda.generated.CudaDriverCalls;
import dev.vauban.natives.load.Symbols;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A kernel, which a {@link CudaStream} launches. Lives as long as its module. */
public final class CudaFunction {
  private final CudaContext context;
  private final String name;
  private final MemorySegment handle;

  CudaFunction(CudaContext context, String name, MemorySegment handle) {
    this.context = context;
    this.name = name;
    this.handle = handle;
  }

  /** Its name in the source. */
  public String name() {
    return name;
  }

  /**
   * Allows launches with this much dynamic shared memory per block; needed above 48 KiB.
   *
   * @throws CudaException if the card has not so much
   */
  public CudaFunction allowSharedBytes(int bytes) {
    context.check(
        CudaDriverCalls.cuFuncSetAttribute(
            context.use(),
            handle,
            CudaDriverCalls.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES(),
            bytes),
        "cuFuncSetAttribute",
        bytes + " bytes of shared memory in the kernel " + name);
    return this;
  }

  /** How many blocks of this size one multiprocessor holds at a time. */
  public int blocksPerMultiprocessor(int threads, int sharedBytes) {
    Symbols symbols = context.use();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_INT);
      context.check(
          CudaDriverCalls.cuOccupancyMaxActiveBlocksPerMultiprocessor(
              symbols, out, handle, threads, sharedBytes),
          "cuOccupancyMaxActiveBlocksPerMultiprocessor",
          "the kernel " + name);
      return out.get(ValueLayout.JAVA_INT, 0);
    }
  }

  /** Registers per thread. */
  public int registers() {
    return attribute(CudaDriverCalls.CU_FUNC_ATTRIBUTE_NUM_REGS());
  }

  /** Bytes per thread that did not fit into registers (or are arrays); 0 is what one wants. */
  public int localBytes() {
    return attribute(CudaDriverCalls.CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES());
  }

  private int attribute(int attribute) {
    Symbols symbols = context.use();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.JAVA_INT);
      context.check(
          CudaDriverCalls.cuFuncGetAttribute(symbols, out, attribute, handle),
          "cuFuncGetAttribute",
          "the kernel " + name);
      return out.get(ValueLayout.JAVA_INT, 0);
    }
  }

  MemorySegment handle() {
    return handle;
  }
}
