package dev.vauban.tensor.backend.cpu.kernels;

import static dev.vauban.tensor.backend.cpu.kernels.Memory.ALL;
import static dev.vauban.tensor.backend.cpu.kernels.Species.I32;
import static dev.vauban.tensor.backend.cpu.kernels.Species.LANES;
import static dev.vauban.tensor.backend.cpu.kernels.Species.ORDER;

import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** Loads and stores one vector's worth of window positions kept as unsigned bytes. */
final class WindowIndices {
  // As many bytes as there are 32-bit lanes. Four bytes are no vector: they travel in an int.
  private static final VectorSpecies<Byte> NARROW =
      LANES == 16 ? ByteVector.SPECIES_128 : ByteVector.SPECIES_64;
  private static final IntVector SHIFTS = IntVector.zero(I32).addIndex(8).and(31);

  private WindowIndices() {}

  /** LANES bytes, sign-extended: compare them with {@code (byte) position}. */
  static IntVector load(long address) {
    if (LANES == 4) {
      return IntVector.broadcast(I32, Memory.getInt(address))
          .lanewise(VectorOperators.LSHR, SHIFTS)
          .lanewise(VectorOperators.LSHL, 24)
          .lanewise(VectorOperators.ASHR, 24);
    }
    return (IntVector) ByteVector.fromMemorySegment(NARROW, ALL, address, ORDER).castShape(I32, 0);
  }

  /** The low byte of each lane. */
  static void store(IntVector positions, long address) {
    if (LANES == 4) {
      int four =
          positions
              .and(0xFF)
              .lanewise(VectorOperators.LSHL, SHIFTS)
              .reduceLanes(VectorOperators.OR);
      Memory.setInt(address, four);
    } else {
      ((ByteVector) positions.castShape(NARROW, 0)).intoMemorySegment(ALL, address, ORDER);
    }
  }
}
