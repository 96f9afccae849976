package dev.vauban.tensor.backend.cpu.kernels;

/**
 * The index of the largest or smallest element of x[outer, length, inner] along the middle axis:
 * the first one where several are equal (zeros of both signs are), and the first NaN where there is
 * one, whichever extreme is sought.
 */
public final class ArgReduce {
  private final Element element;
  private final int outer;
  private final int length;
  private final int inner;
  private final boolean largest;

  /** Which extreme. */
  public enum Kind {
    /** The largest element. */
    MAX,
    /** The smallest element. */
    MIN
  }

  /**
   * Prepares a search.
   *
   * @param kind which extreme
   * @param element type of x
   * @param outer product of the sizes before the axis
   * @param length size of the axis, at least 1
   * @param inner product of the sizes after it
   * @throws IllegalArgumentException if a size is out of range
   */
  public ArgReduce(Kind kind, Element element, int outer, int length, int inner) {
    if (outer < 0 || inner < 0 || length < 1) {
      throw new IllegalArgumentException(
          "arg-reduce: ["
              + outer
              + ", "
              + length
              + ", "
              + inner
              + "]; the middle axis must have an element");
    }
    this.largest = kind == Kind.MAX;
    this.element = element;
    this.outer = outer;
    this.length = length;
    this.inner = inner;
  }

  /** Bytes that {@code run} needs as scratch: none. */
  public long scratchBytes() {
    return 0;
  }

  /**
   * Runs the search.
   *
   * @param x address of x[outer, length, inner]
   * @param indices address of the result i32 [outer, inner]
   * @param scratch not used
   */
  public void run(long x, long indices, long scratch) {
    for (int o = 0; o < outer; o++) {
      for (int i = 0; i < inner; i++) {
        long from = x + ((long) o * length * inner + i) * element.bytes();
        int at = element == Element.F32 ? floats(from) : keys(from);
        Memory.setInt(indices + 4 * ((long) o * inner + i), at);
      }
    }
  }

  private int floats(long from) {
    float best = Memory.getFloat(from);
    int at = 0;
    for (int j = 1; j < length && best == best; j++) {
      float v = Memory.getFloat(from + 4L * j * inner);
      // "Not at most" also holds where v is NaN.
      if (largest ? !(v <= best) : !(v >= best)) {
        best = v;
        at = j;
      }
    }
    return at;
  }

  private int keys(long from) {
    int best = element.key(from);
    int at = 0;
    for (int j = 1; j < length; j++) {
      int v = element.key(from + (long) j * inner * element.bytes());
      if (largest ? v > best : v < best) {
        best = v;
        at = j;
      }
    }
    return at;
  }
}
