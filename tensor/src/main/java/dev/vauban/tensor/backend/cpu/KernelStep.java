package dev.vauban.tensor.backend.cpu;

import java.util.List;

/** A step whose call is a function of the frame: one kernel with its shapes fixed. */
record KernelStep(
    String label,
    List<Object> reads,
    List<Object> writes,
    long scratchBytes,
    long flops,
    Maker maker)
    implements Step {

  /** Makes the call for one frame. */
  interface Maker {
    Call make(Frame frame, int[] slots, long scratch);
  }

  @Override
  public Call instantiate(Frame frame, int[] slots, long scratch) {
    return maker.make(frame, slots, scratch);
  }
}
