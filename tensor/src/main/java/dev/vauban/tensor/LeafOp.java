package dev.vauban.tensor;

import java.util.Arrays;
import java.util.List;

/** Operations without inputs: parameters and constants. */
public sealed interface LeafOp extends Op {

  /** The type of the result. */
  Type type();

  @Override
  default int arity() {
    return 0;
  }

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
  record Fill(double value, Type type) implements LeafOp {
    /** Checks the value. */
    public Fill {
      hold(type, value);
    }
  }

  /** Fixed values in row-major order, for small tables such as index lists. */
  record Data(Type type, Values values) implements LeafOp {
    /** Checks the values and their number. */
    public Data {
      if (values.size() != type.shape().size()) {
        throw new ShapeException(
            "data: " + type + " needs " + type.shape().size() + " values, not " + values.size());
      }
      for (double v : values.values) {
        hold(type, v);
      }
    }
  }

  /** Element i along {@code axis} is i. */
  record Iota(Type type, int axis) implements LeafOp {
    /** Checks the axis. */
    public Iota {
      Axes.check("iota", axis);
      type.shape().axis(axis);
    }
  }

  private static void hold(Type type, double value) {
    boolean held =
        switch (type.dtype()) {
          case F32, F64, BF16 -> true;
          case I32 -> value == (int) value;
          case U8 -> value == ((int) value & 0xFF);
        };
    if (!held) {
      throw new DTypeException(type + " cannot hold the constant " + value);
    }
  }

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
