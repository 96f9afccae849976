package dev.vauban.tensor.backend.cpu;

import dev.vauban.tensor.DType;
import dev.vauban.tensor.backend.cpu.kernels.Species;
import jdk.incubator.vector.FloatVector;

/**
 * The vectors that emitted code uses.
 *
 * @param lanes 32-bit elements per vector: 4, 8 or 16
 * @param narrowMasks whether the machine loads and stores part of a vector of 8 and 16-bit elements
 *     (AVX-512 does, AVX2 does not; the Vector API would fall back to slow code that allocates)
 */
record VectorWidth(int lanes, boolean narrowMasks) {
  private static final VectorWidth CHOSEN =
      new VectorWidth(Species.LANES, FloatVector.SPECIES_PREFERRED.vectorBitSize() >= 512);

  VectorWidth {
    if (lanes != 4 && lanes != 8 && lanes != 16) {
      throw new IllegalArgumentException("lanes are 4, 8 or 16, not " + lanes);
    }
  }

  /** The width for this process, {@link Species#LANES}. */
  static VectorWidth chosen() {
    return CHOSEN;
  }

  /** Whether part of a vector of this type can be loaded and stored at once. */
  boolean hasMasks(DType dtype) {
    return dtype.bytes() >= 4 || narrowMasks;
  }

  /** Whether the Vector API has a vector of as many elements of this type. */
  boolean holds(DType dtype) {
    return dtype != DType.F64 && lanes * dtype.bytes() >= 8;
  }
}
