package dev.vauban.tensor.backend.cpu.kernels;

import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * The one vector width that every kernel is compiled for: what the processor prefers, or the system
 * property {@code vauban.vector.bits} (128, 256 or 512). All are compile-time constants for the
 * just-in-time compiler, without which vectors would be objects.
 */
public final class Species {
  /** Lanes of 32-bit floats. */
  public static final VectorSpecies<Float> F32 = VectorSpecies.of(float.class, shape());

  /** Lanes of 32-bit integers, as many as {@link #F32} has. */
  public static final VectorSpecies<Integer> I32 = VectorSpecies.of(int.class, shape());

  /** Lanes of 16-bit integers, as many as {@link #F32} has: vectors of half the size. */
  public static final VectorSpecies<Short> I16 =
      VectorSpecies.of(short.class, VectorShape.forBitSize(F32.vectorBitSize() / 2));

  /** Lanes of 64-bit integers: half as many as {@link #F32} has. */
  public static final VectorSpecies<Long> I64 = VectorSpecies.of(long.class, shape());

  /** Number of 32-bit lanes: 4, 8 or 16. */
  public static final int LANES = F32.length();

  /** Bytes in one vector. */
  public static final int BYTES = LANES * Float.BYTES;

  /** The byte order of every load and store (native order is the only quick one). */
  public static final ByteOrder ORDER = ByteOrder.LITTLE_ENDIAN;

  /**
   * The class of the vectors of {@link #F32}. The just-in-time compiler sees the exact class of a
   * vector that a factory made, but of one that a loop carries around it only knows what profiles
   * say, and all users of the Vector API share those. Where they say too little, a method called on
   * such a vector is a real call and every vector becomes an object, for good. So in a loop a
   * carried vector is an argument only, and where it must be a receiver {@code FLOATS.cast} says
   * what it is; that costs nothing.
   */
  static final Class<? extends FloatVector> FLOATS = FloatVector.zero(F32).getClass();

  /** The class of the vectors of {@link #I32}; see {@link #FLOATS}. */
  static final Class<? extends IntVector> INTS = IntVector.zero(I32).getClass();

  private Species() {}

  private static VectorShape shape() {
    String bits = System.getProperty("vauban.vector.bits");
    if (bits == null) {
      return FloatVector.SPECIES_PREFERRED.vectorShape();
    }
    return switch (bits.strip()) {
      case "128" -> VectorShape.S_128_BIT;
      case "256" -> VectorShape.S_256_BIT;
      case "512" -> VectorShape.S_512_BIT;
      default ->
          throw new IllegalArgumentException(
              "vauban.vector.bits is " + bits + "; it must be 128, 256 or 512");
    };
  }
}
