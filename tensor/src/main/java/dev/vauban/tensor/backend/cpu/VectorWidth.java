package dev.vauban.tensor.backend.cpu;

import dev.vauban.tensor.DType;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.backend.cpu.kernels.Species;
import jdk.incubator.vector.FloatVector;

/**
 * The vectors that emitted code uses.
 *
 * @param lanes 32-bit elements per vector: 4, 8 or 16
 * @param maskedBytes size of the smallest elements of which the machine loads and stores a part of
 *     a vector: 1 with AVX-512, 4 with AVX2; elsewhere the Vector API falls back to slow code
 */
record VectorWidth(int lanes, int maskedBytes) {
  private static final VectorWidth CHOSEN = new VectorWidth(Species.LANES, machineMaskedBytes());

  VectorWidth {
    if (lanes != 4 && lanes != 8 && lanes != 16) {
      throw new IllegalArgumentException("lanes are 4, 8 or 16, not " + lanes);
    }
  }

  /** The width for this process, {@link Species#LANES}. */
  static VectorWidth chosen() {
    return CHOSEN;
  }

  private static int machineMaskedBytes() {
    if (FloatVector.SPECIES_PREFERRED.vectorBitSize() >= 512) {
      return 1;
    }
    return System.getProperty("os.arch").equals("amd64") ? 4 : 8;
  }

  /** Whether part of a vector of this type can be loaded and stored at once. */
  boolean hasMasks(DType dtype) {
    return dtype.bytes() >= maskedBytes;
  }

  /** Whether the Vector API has a vector of as many elements of this type. */
  boolean holds(DType dtype) {
    return dtype != DType.F64 && lanes * dtype.bytes() >= 8;
  }

  /** Whether nests handle these F32 images and their U8 offsets in whole vectors. */
  boolean suits(Expr images) {
    return holds(DType.U8) && images.shape().dim(3) % lanes == 0;
  }
}
