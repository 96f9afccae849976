package dev.vauban.tensor.backend.cpu.kernels;

import static dev.vauban.tensor.backend.cpu.kernels.Memory.getLong;
import static dev.vauban.tensor.backend.cpu.kernels.Memory.setLong;

/**
 * The indices that sort x[outer, length, inner] along the middle axis, the first {@code count} of
 * them. Equal elements keep their order in both directions (zeros of both signs are equal, all NaNs
 * are equal). A NaN is larger than every number: last when ascending, first when descending.
 *
 * <p>Each element becomes one 64-bit integer, its order in the upper half and its index in the
 * lower, so that any sort is stable: insertion into a short list for a few of many, else a
 * bottom-up merge sort.
 */
public final class ArgSort {
  private static final int RUN = 16; // insertion-sorted before merging
  private static final int SHORT = 16; // most elements for which a list beats sorting all

  private final Element element;
  private final int outer;
  private final int length;
  private final int inner;
  private final int count;
  private final int flip;

  /** Which way an order runs. */
  public enum Order {
    /** Smallest first. */
    ASCENDING,
    /** Largest first. */
    DESCENDING
  }

  /**
   * Prepares a sort.
   *
   * @param element type of x
   * @param outer product of the sizes before the axis
   * @param length size of the axis
   * @param inner product of the sizes after it
   * @param order direction
   * @param count how many indices, at most {@code length}
   * @throws IllegalArgumentException if a size is negative or the count too large
   */
  public ArgSort(Element element, int outer, int length, int inner, Order order, int count) {
    if (Math.min(outer, Math.min(length, inner)) < 0 || count < 0 || count > length) {
      throw new IllegalArgumentException(
          "arg-sort: the first "
              + count
              + " along the middle axis of ["
              + outer
              + ", "
              + length
              + ", "
              + inner
              + "]");
    }
    this.element = element;
    this.outer = outer;
    this.length = length;
    this.inner = inner;
    this.count = count;
    this.flip = order == Order.ASCENDING ? 0 : -1;
  }

  /** Bytes that {@code run} needs as scratch. */
  public long scratchBytes() {
    return 2L * Long.BYTES * length;
  }

  /**
   * Runs the sort.
   *
   * @param x address of x[outer, length, inner]
   * @param indices address of the result i32 [outer, count, inner]
   * @param scratch address of {@link #scratchBytes} bytes
   */
  public void run(long x, long indices, long scratch) {
    if (count == 0) {
      return;
    }
    for (int o = 0; o < outer; o++) {
      for (int i = 0; i < inner; i++) {
        long from = x + ((long) o * length * inner + i) * element.bytes();
        long to = indices + ((long) o * count * inner + i) * 4;
        long sorted =
            count <= SHORT && count * 4 <= length ? select(from, scratch) : sort(from, scratch);
        for (int j = 0; j < count; j++) {
          Memory.setInt(to + 4L * j * inner, (int) getLong(sorted + 8L * j));
        }
      }
    }
  }

  private long item(long from, int i) {
    long key = element.key(from + (long) i * inner * element.bytes()) ^ flip;
    return (key << 32) | i;
  }

  /** Keeps the {@code count} smallest items seen so far in order. */
  private long select(long from, long list) {
    int kept = 0;
    for (int i = 0; i < length; i++) {
      long item = item(from, i);
      if (kept == count && item >= getLong(list + 8L * (count - 1))) {
        continue;
      }
      int j = kept < count ? kept++ : count - 1;
      for (; j > 0 && getLong(list + 8L * (j - 1)) > item; j--) {
        setLong(list + 8L * j, getLong(list + 8L * (j - 1)));
      }
      setLong(list + 8L * j, item);
    }
    return list;
  }

  private long sort(long from, long scratch) {
    long a = scratch;
    long b = scratch + 8L * length;
    for (int start = 0; start < length; start += RUN) {
      int end = Math.min(length, start + RUN);
      for (int i = start; i < end; i++) {
        long item = item(from, i);
        int j = i;
        for (; j > start && getLong(a + 8L * (j - 1)) > item; j--) {
          setLong(a + 8L * j, getLong(a + 8L * (j - 1)));
        }
        setLong(a + 8L * j, item);
      }
    }
    for (long width = RUN; width < length; width *= 2) {
      for (long start = 0; start < length; start += 2 * width) {
        long middle = Math.min(length, start + width);
        merge(a, b, start, middle, Math.min(length, start + 2 * width));
      }
      long t = a;
      a = b;
      b = t;
    }
    return a;
  }

  private static void merge(long a, long b, long start, long middle, long end) {
    long i = start;
    long j = middle;
    for (long to = start; to < end; to++) {
      if (j >= end || (i < middle && getLong(a + 8 * i) < getLong(a + 8 * j))) {
        setLong(b + 8 * to, getLong(a + 8 * i++));
      } else {
        setLong(b + 8 * to, getLong(a + 8 * j++));
      }
    }
  }
}
