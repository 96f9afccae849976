package dev.vauban.tensor.backend.cpu.kernels;

import static dev.vauban.tensor.backend.cpu.kernels.Species.I32;
import static dev.vauban.tensor.backend.cpu.kernels.Species.LANES;

import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Constants for one vector's worth of window positions kept as unsigned bytes. The few lines that
 * load and store them stand in every kernel: a vector that crosses a call which the compiler does
 * not inline is an object, and it does not inline a method that is hot enough to have been compiled
 * on its own.
 */
final class WindowIndices {
  /** As many bytes as there are 32-bit lanes. Four bytes are no vector: they travel in an int. */
  static final VectorSpecies<Byte> NARROW =
      LANES == 16 ? ByteVector.SPECIES_128 : ByteVector.SPECIES_64;

  /** 0, 8, 16, 24: where each of four bytes begins in an int. */
  static final IntVector SHIFTS = IntVector.zero(I32).addIndex(8).and(31);

  private WindowIndices() {}
}
