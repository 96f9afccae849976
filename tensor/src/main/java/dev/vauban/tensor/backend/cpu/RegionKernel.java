package dev.vauban.tensor.backend.cpu;

import dev.vauban.tensor.backend.fusion.Region;

/** The compiled form of a {@link Region}: stateless, shared, safe from any thread. */
interface RegionKernel {
  /**
   * Runs the region. Allocates nothing.
   *
   * @param addresses native addresses of the operands, then of the outputs, in the region's order
   */
  void run(long[] addresses);
}
