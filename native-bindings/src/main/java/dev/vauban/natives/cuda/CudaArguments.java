package dev.vauban.natives.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The arguments of a launch, in the order of the kernel's parameters. Their values are copied when
 * the kernel is launched (or its launch captured); the object can be launched again.
 */
public final class CudaArguments {
  private static final int SLOT = 8;

  private final Arena arena;
  private final MemorySegment pointers;
  private final int capacity;
  private int count;

  /**
   * @param arena whose end is the arguments'
   * @param capacity how many there will be
   */
  public CudaArguments(Arena arena, int capacity) {
    this.arena = arena;
    this.capacity = capacity;
    this.pointers = arena.allocate(Math.max(1, capacity) * ValueLayout.ADDRESS.byteSize(), SLOT);
  }

  /** Adds an address on the card (any pointer type). */
  public CudaArguments pointer(long address) {
    next(SLOT).set(ValueLayout.JAVA_LONG, 0, address);
    return this;
  }

  /** Adds a {@code long long}. */
  public CudaArguments int64(long value) {
    next(SLOT).set(ValueLayout.JAVA_LONG, 0, value);
    return this;
  }

  /** Adds an {@code int} or {@code unsigned}. */
  public CudaArguments int32(int value) {
    next(SLOT).set(ValueLayout.JAVA_INT, 0, value);
    return this;
  }

  /** Adds a {@code float}. */
  public CudaArguments float32(float value) {
    next(SLOT).set(ValueLayout.JAVA_FLOAT, 0, value);
    return this;
  }

  /** Adds a structure by value; its bytes are copied now. */
  public CudaArguments struct(MemorySegment value) {
    next(value.byteSize()).copyFrom(value);
    return this;
  }

  private MemorySegment next(long bytes) {
    if (count == capacity) {
      throw new IllegalStateException(
          "more than the " + capacity + " arguments there was room for");
    }
    MemorySegment slot = arena.allocate(bytes, 16);
    pointers.set(ValueLayout.ADDRESS, count++ * ValueLayout.ADDRESS.byteSize(), slot);
    return slot;
  }

  /** {@code void*[]}, as {@code cuLaunchKernel} takes them. */
  MemorySegment pointers() {
    return pointers;
  }
}
