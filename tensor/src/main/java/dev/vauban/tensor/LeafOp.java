package dev.vauban.tensor;

import java.util.Arrays;
import java.util.List;

/** Operations without inputs: parameters and constants. */
public sealed interface LeafOp extends Op {

  /** The type of the result. */
  Type type();

  @Override
  default List<Type> types(List<Expr> inputs) {
    return List.of(type());
  }

  @Override
  default Expr[] gradient(Expr node, Expr[] cotangents) {
    return new Expr[0];
  }

  @Override
  default Expr batch(List<Expr> inputs, boolean[] mapped, int n) {
    throw new IllegalStateException(label() + " has no inputs to map");
  }

  /**
   * A value that is given when the graph runs.
   *
   * @param id distinguishes parameters of one graph
   * @param name for messages and prints: usually a tree path
   */
  record Parameter(long id, String name, Type type) implements LeafOp {}

  /** Every element is {@code value}. */
  record Fill(double value, Type type) implements LeafOp {}

  /** Fixed values, for small tables such as index lists. */
  record Data(Type type, Values values) implements LeafOp {}

  /** Element i along {@code axis} is i. */
  record Iota(Type type, int axis) implements LeafOp {}

  /** An immutable list of numbers with value equality. */
  final class Values {
    private final double[] values;

    /** A copy of these values. */
    public Values(double... values) {
      this.values = values.clone();
    }

    /** Number of values. */
    public int size() {
      return values.length;
    }

    /** Value {@code i}. */
    public double get(int i) {
      return values[i];
    }

    @Override
    public boolean equals(Object o) {
      return o instanceof Values v && Arrays.equals(values, v.values);
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(values);
    }

    @Override
    public String toString() {
      return values.length <= 8 ? Arrays.toString(values) : "[" + values.length + " values]";
    }
  }
}
