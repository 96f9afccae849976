package dev.vauban.tensor;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * One row of the table of operations: a function of one operation, the inputs it is tried on, and
 * what must hold.
 *
 * @param name unique: operation and sizes
 * @param op the record that the row is about
 * @param inputs the inputs
 * @param expected type of the result
 * @param smoothness how often it is differentiable on these inputs
 * @param ulps error allowed of one result element computed in F32, for one term
 * @param terms products or values summed for one element; errors grow with its square root
 * @param f inputs to one result
 */
public record OpCase(
    String name,
    Class<? extends Op> op,
    List<Input> inputs,
    Type expected,
    Smoothness smoothness,
    double ulps,
    long terms,
    Function<List<Expr>, Expr> f) {

  /** How often a row is differentiable. */
  public enum Smoothness {
    /** No gradient: it has integer results, or refuses. */
    NONE,
    /** Twice. */
    TWICE
  }

  /**
   * An input.
   *
   * @param type its type
   * @param domain where its values lie
   */
  public record Input(Type type, Domain domain) {}

  /** Where values lie. Kinks of the functions that use a domain are at least 1e-4 away. */
  public enum Domain {
    /** Uniform in ±2. */
    REAL,
    /** Uniform in 0.5 to 2.5. */
    POSITIVE,
    /** Uniform in ±0.9. */
    UNIT,
    /** At least 0.2 from every whole number, in ±2. */
    BETWEEN_INTEGERS,
    /** All different, evenly spaced in ±2, shuffled. */
    DISTINCT,
    /** -1.5 to -0.5. */
    LOW,
    /** 0.5 to 1.5. */
    HIGH,
    /** 0 or 1. */
    MASK,
    /** Whole numbers in ±5. */
    SMALL_INTEGER,
    /** 0, 1 or 2. */
    INDEX_BELOW_3,
    /** All 32-bit integers. */
    BITS,
    /** All bytes. */
    BYTE,
    /** 0, -0, ±1, ±1000, infinities, NaN of both signs, subnormals, the largest number. */
    SPECIAL,
    /** The same without NaN. */
    NUMBER,
    /** As REAL, but one in twelve is an infinity, NaN, a zero or subnormal. */
    SPARSE;

    private static final double[] SPECIALS = {
      0.0,
      -0.0,
      1,
      -1,
      0.5,
      -0.5,
      1000,
      -1000,
      Double.POSITIVE_INFINITY,
      Double.NEGATIVE_INFINITY,
      Double.NaN,
      Double.longBitsToDouble(0xFFF8000000000000L), // what inf - inf is on x86
      1e-40,
      -1e-40,
      Float.MIN_VALUE,
      Float.MAX_VALUE,
      -Float.MAX_VALUE,
      Float.MIN_NORMAL,
      2.5,
      -2.5
    };

    private static double special(Key key, int i) {
      return SPECIALS[(int) ((key.bits(i) >>> 1) % SPECIALS.length)];
    }

    /** An infinity, NaN, zero or subnormal: nothing that makes a sum overflow on its way. */
    private static double rare(Key key, int i) {
      double v = special(key, i);
      return Math.abs(v) >= 0.5 && Math.abs(v) <= Float.MAX_VALUE ? 0 : v;
    }

    /** Values for an array of {@code n} elements; the same for the same key. */
    public double[] values(Key key, int n) {
      double[] out = new double[n];
      int[] order = this == DISTINCT ? key.permutation(n) : null;
      for (int i = 0; i < n; i++) {
        double u = key.uniform(i);
        out[i] =
            switch (this) {
              case REAL -> 4 * u - 2;
              case POSITIVE -> 0.5 + 2 * u;
              case UNIT -> 1.8 * u - 0.9;
              case BETWEEN_INTEGERS -> Math.floor(4 * u - 2) + 0.2 + 0.6 * key.uniform(n + i);
              case DISTINCT -> 4.0 * (order[i] + 0.5) / n - 2;
              case LOW -> -1.5 + u;
              case HIGH -> 0.5 + u;
              case MASK -> u < 0.5 ? 0 : 1;
              case SMALL_INTEGER -> Math.floor(11 * u) - 5;
              case INDEX_BELOW_3 -> Math.floor(3 * u);
              case BITS -> (int) key.bits(i);
              case BYTE -> (int) key.bits(i) & 0xFF;
              case SPECIAL -> special(key, i);
              case NUMBER -> Double.isNaN(special(key, i)) ? -0.0 : special(key, i);
              case SPARSE -> u < 1 / 12.0 ? rare(key.fold(1), i) : 4 * u - 2;
            };
        // What F32 can hold, so that every backend starts from the same numbers.
        out[i] = this == BITS ? out[i] : (float) out[i];
      }
      return out;
    }
  }

  /** Values for the inputs. */
  public List<double[]> values(long seed) {
    List<double[]> out = new ArrayList<>();
    for (int i = 0; i < inputs.size(); i++) {
      int n = Math.toIntExact(inputs.get(i).type().shape().size());
      out.add(inputs.get(i).domain().values(Key.of(seed).fold(i), n));
    }
    return out;
  }

  /** The row as a program of inputs {@code 0}, {@code 1}, ... to output {@code y}. */
  public Program program() {
    return Program.trace(types(), in -> Tree.of("y", f.apply(in.leaves())));
  }

  /** The types of the inputs, named {@code 0}, {@code 1}, ... */
  public Tree<Type> types() {
    Tree<Type> types = Tree.empty();
    for (int i = 0; i < inputs.size(); i++) {
      types = types.with(Integer.toString(i), inputs.get(i).type());
    }
    return types;
  }

  /** The error that F32 arithmetic may make, relative to the largest element of the result. */
  public double tolerance() {
    return ulps * 0x1p-23 * Math.sqrt(Math.max(terms, 1));
  }

  @Override
  public String toString() {
    return name;
  }
}
