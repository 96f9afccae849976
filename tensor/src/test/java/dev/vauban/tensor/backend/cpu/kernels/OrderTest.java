package dev.vauban.tensor.backend.cpu.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Comparator;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** ArgSort and ArgReduce. */
class OrderTest {
  private static final float[] SPECIAL = {
    0f, -0f, Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, Float.MIN_VALUE, 1f, -1f
  };

  /** Values with many ties and every special one; NaNs of both signs. */
  private static float[] values(int n, SplittableRandom random) {
    float[] x = new float[n];
    for (int i = 0; i < n; i++) {
      float special = SPECIAL[random.nextInt(SPECIAL.length)];
      x[i] = random.nextInt(3) == 0 ? special : random.nextInt(7) - 3;
      if (x[i] != x[i] && random.nextBoolean()) {
        x[i] = Float.intBitsToFloat(0xFFC00001);
      }
    }
    return x;
  }

  private static int compare(float a, float b) {
    return Float.compare(a + 0f, b + 0f); // NaN largest and equal to itself; -0 + 0 is +0
  }

  @Test
  void sortsAreStableInBothDirections() {
    var random = new SplittableRandom(6);
    for (int length : new int[] {1, 2, 5, 16, 17, 31, 64, 100, 333}) {
      for (int count : new int[] {0, 1, 3, length / 2, length}) {
        for (ArgSort.Order order : ArgSort.Order.values()) {
          int outer = 1 + random.nextInt(3);
          int inner = 1 + random.nextInt(3);
          int k = Math.min(count, length);
          float[] x = values(outer * length * inner, random);
          int[] expected = new int[outer * k * inner];
          for (int o = 0; o < outer; o++) {
            for (int i = 0; i < inner; i++) {
              int base = o * length * inner + i;
              Comparator<Integer> by = (p, q) -> compare(x[base + p * inner], x[base + q * inner]);
              int[] sorted =
                  IntStream.range(0, length)
                      .boxed()
                      .sorted(order == ArgSort.Order.ASCENDING ? by : by.reversed())
                      .mapToInt(Integer::intValue)
                      .toArray();
              for (int j = 0; j < k; j++) {
                expected[(o * k + j) * inner + i] = sorted[j];
              }
            }
          }
          ArgSort kernel = new ArgSort(Element.F32, outer, length, inner, order, k);
          Area to = new Area(4L * expected.length);
          Area scratch = new Area(kernel.scratchBytes());
          kernel.run(Area.of(x).address, to.address, scratch.address);
          scratch.checkGuards();
          assertThat(to.ints()).as("%d of %d %s", k, length, order).isEqualTo(expected);
        }
      }
    }
  }

  @Test
  void integersAndBytesAreOrderedByValue() {
    int[] x = {5, Integer.MIN_VALUE, -1, Integer.MAX_VALUE, 5, 0};
    Area to = new Area(4 * 6);
    Area scratch = new Area(8 * 6 * 2);
    new ArgSort(Element.I32, 1, 6, 1, ArgSort.Order.ASCENDING, 6)
        .run(Area.of(x).address, to.address, scratch.address);
    assertThat(to.ints()).containsExactly(1, 2, 5, 0, 4, 3);
    byte[] u = {5, (byte) 200, 0, (byte) 255, 5, 127};
    new ArgSort(Element.U8, 1, 6, 1, ArgSort.Order.DESCENDING, 6)
        .run(Area.of(u).address, to.address, scratch.address);
    assertThat(to.ints()).containsExactly(3, 1, 5, 0, 4, 2);
    Area one = new Area(4);
    new ArgReduce(ArgReduce.Kind.MAX, Element.U8, 1, 6, 1).run(Area.of(u).address, one.address, 0);
    assertThat(one.ints()).containsExactly(3);
    new ArgReduce(ArgReduce.Kind.MIN, Element.I32, 1, 6, 1).run(Area.of(x).address, one.address, 0);
    assertThat(one.ints()).containsExactly(1);
  }

  @Test
  void theFirstExtremeOrTheFirstNan() {
    var random = new SplittableRandom(7);
    for (int n = 0; n < 200; n++) {
      int outer = 1 + random.nextInt(4);
      int length = 1 + random.nextInt(9);
      int inner = 1 + random.nextInt(4);
      float[] x = values(outer * length * inner, random);
      for (ArgReduce.Kind kind : ArgReduce.Kind.values()) {
        int[] expected = new int[outer * inner];
        for (int o = 0; o < outer; o++) {
          for (int i = 0; i < inner; i++) {
            int best = 0;
            for (int j = 0; j < length; j++) {
              float a = x[(o * length + best) * inner + i];
              float v = x[(o * length + j) * inner + i];
              boolean better = kind == ArgReduce.Kind.MAX ? v > a : v < a;
              if (a == a && (better || v != v)) {
                best = j;
              }
            }
            expected[o * inner + i] = best;
          }
        }
        Area to = new Area(4L * expected.length);
        new ArgReduce(kind, Element.F32, outer, length, inner)
            .run(Area.of(x).address, to.address, 0);
        assertThat(to.ints()).isEqualTo(expected);
      }
    }
  }

  @Test
  void badSizesAreNamed() {
    assertThatThrownBy(() -> new ArgSort(Element.F32, 1, 3, 1, ArgSort.Order.ASCENDING, 4))
        .hasMessageContaining("the first 4");
    assertThatThrownBy(() -> new ArgReduce(ArgReduce.Kind.MAX, Element.F32, 1, 0, 1))
        .hasMessageContaining("must have an element");
  }
}
