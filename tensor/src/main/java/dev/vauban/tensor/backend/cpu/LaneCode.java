package dev.vauban.tensor.backend.cpu;

import dev.vauban.tensor.DType;
import dev.vauban.tensor.ScalarFn;
import dev.vauban.tensor.backend.cpu.Bytecode.Slot;
import dev.vauban.tensor.backend.fusion.Region;
import java.util.List;
import java.util.Set;

/**
 * Emits what happens at one step of the innermost loop: to one point ({@link ScalarCode}) or to a
 * vector of neighbouring points ({@link VectorCode}). The loops themselves are {@link
 * RegionEmitter}'s.
 */
sealed interface LaneCode permits VectorCode, ScalarCode {

  /** Count of elements, where it is what {@link #limit} has set. */
  int LIMITED = -1;

  /** Points per step. */
  int lanes();

  /**
   * From here on, {@link #LIMITED} means the elements from index {@code i} that are below size.
   *
   * @param types of the arrays that are accessed in this way
   */
  void limit(Slot i, int size, Set<DType> types);

  /**
   * A computed value. A comparison may be held as a mask, as numbers 1 and 0, or both.
   *
   * @param compute its type
   * @param number the numbers, or null if nothing reads them
   * @param mask the mask, or null
   * @param known the number itself if it is a constant of the region, or null
   */
  record Value(DType compute, Slot number, Slot mask, Double known) {
    Value(DType compute, Slot number) {
      this(compute, number, null, null);
    }
  }

  /** What the rest of the region reads of a comparison. */
  enum Form {
    NUMBER,
    MASK,
    BOTH
  }

  /**
   * Elements in memory.
   *
   * @param dtype stored type
   * @param pointer local that holds an address
   * @param offset bytes to add to it
   * @param count elements that exist; fewer than {@link #lanes} in the last vector of a row; or
   *     {@link #LIMITED}
   */
  record Place(DType dtype, Slot pointer, long offset, int count) {}

  /** The elements at a place, one per lane; lanes beyond its count are 0. */
  Value load(Place place, DType compute);

  /** The one element at a place, the same for all lanes. */
  Value loadRepeated(Place place, DType compute);

  Value constant(double value, DType compute);

  /** The number i + offset, the same for all lanes. */
  Value index(Slot i, int offset, DType compute);

  /** The numbers i + offset + lane. */
  Value laneIndex(Slot i, int offset, DType compute);

  Value apply(ScalarFn fn, List<Value> args, DType compute, Form form);

  Value convert(Value value, DType compute);

  void store(Value value, Place place);

  /** A new accumulator that holds the neutral element. */
  Slot neutral(Region.Kind kind, DType compute);

  /** Accumulates {@code value} in place; only its first {@code count} lanes. */
  void accumulate(Region.Kind kind, Slot accumulator, Value value, int count);

  /** Writes accumulators, lane by lane, to a place. */
  void finish(Reduced reduced, Slot accumulator, Place place);

  /** Combines all lanes of several accumulators, in a fixed order, and writes the one result. */
  void finishLanes(Reduced reduced, List<Slot> accumulators, Place place);

  /** How a reduction ends. */
  record Reduced(Region.Kind kind, DType compute, Target target) {}

  /** What a reduction's memory holds when its accumulator is written there. */
  enum Target {
    /** Nothing: write. */
    FRESH,
    /** A partial result: combine with it. */
    PARTIAL
  }
}
