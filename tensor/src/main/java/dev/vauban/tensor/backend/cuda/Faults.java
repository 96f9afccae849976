package dev.vauban.tensor.backend.cuda;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * What kernels report when their input makes no sense: three numbers in the card's memory, which
 * come back with the results of each run. If several threads report, one of them is heard.
 */
final class Faults {
  /** The kernel's parameter. */
  static final String PARAMETER = "int* fault";

  static final int WORDS = 3;
  static final int BYTES = WORDS * Integer.BYTES;

  private Faults() {}

  /** Code that reports an index outside an axis of {@code size}. */
  static void report(Source s, String index, int size) {
    s.line("fault[0] = 1;");
    s.line("fault[1] = %s;", index);
    s.line("fault[2] = %d;", size);
  }

  /**
   * Refuses results that come with a report.
   *
   * @throws IndexOutOfBoundsException if a kernel met an index outside its axis
   */
  static void check(MemorySegment words) {
    if (words.get(ValueLayout.JAVA_INT_UNALIGNED, 0) != 0) {
      throw new IndexOutOfBoundsException(
          "index "
              + words.get(ValueLayout.JAVA_INT_UNALIGNED, Integer.BYTES)
              + " is outside 0.."
              + (words.get(ValueLayout.JAVA_INT_UNALIGNED, 2 * Integer.BYTES) - 1));
    }
  }
}
