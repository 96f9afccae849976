package dev.vauban.tensor.backend.cpu;

import java.util.List;

/**
 * One kernel call of a compiled program: what it reads and writes, and how to make the call for one
 * frame. Steps are immutable and shared; calls belong to a frame.
 */
interface Step {
  /** What is read: a node whose memory it is, in the order of the call. */
  List<Object> reads();

  /** What is written, after the reads in the order of the call. */
  List<Object> writes();

  /** Bytes of scratch memory needed while it runs. */
  default long scratchBytes() {
    return 0;
  }

  /**
   * The call for one frame.
   *
   * @param slots positions in the frame's address table: the reads, then the writes
   * @param scratch address of {@link #scratchBytes} bytes, aligned to 64
   */
  Call instantiate(Frame frame, int[] slots, long scratch);

  /** Floating-point operations. */
  default long flops() {
    return 0;
  }

  /** What it is, for prints: kernel and shapes. */
  String label();

  /** A kernel call with its operands fixed but for addresses. */
  interface Call {
    /** Runs on the frame's addresses. Allocates nothing. */
    void run(long[] addresses);

    /** Frees native resources. */
    default void close() {}
  }
}
