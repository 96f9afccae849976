package dev.vauban.tensor.backend.cpu.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** Transpose, Slice, Pad, Concat, Gather, ScatterAdd, Fill, Copy. */
class MoveTest {
  private static final int[] SIZES = {1, 2, 4, 8};

  private static byte[] random(int n, long seed) {
    byte[] b = new byte[n];
    new SplittableRandom(seed).nextBytes(b);
    return b;
  }

  private static int size(int[] extents) {
    int n = 1;
    for (int e : extents) {
      n *= e;
    }
    return n;
  }

  /** Row-major position to index. */
  private static int[] index(int position, int[] extents) {
    int[] index = new int[extents.length];
    for (int d = extents.length - 1; d >= 0; d--) {
      index[d] = position % extents[d];
      position /= extents[d];
    }
    return index;
  }

  private static int position(int[] index, int[] extents) {
    int p = 0;
    for (int d = 0; d < extents.length; d++) {
      p = p * extents[d] + index[d];
    }
    return p;
  }

  private static int[] permutation(int rank, SplittableRandom random) {
    int[] p = new int[rank];
    for (int i = 0; i < rank; i++) {
      int j = random.nextInt(i + 1);
      p[i] = p[j];
      p[j] = i;
    }
    return p;
  }

  @Test
  void transposesOfMatricesAndImages() {
    for (int element : SIZES) {
      transpose(element, new int[] {33, 70}, new int[] {1, 0});
      transpose(element, new int[] {64, 48}, new int[] {1, 0});
      transpose(element, new int[] {2, 17, 19, 3}, new int[] {0, 3, 1, 2});
      transpose(element, new int[] {2, 3, 17, 19}, new int[] {0, 2, 3, 1});
      transpose(element, new int[] {3, 3, 20, 32}, new int[] {0, 1, 3, 2});
      transpose(element, new int[] {5, 7, 16}, new int[] {1, 0, 2});
      transpose(element, new int[] {}, new int[] {});
      transpose(element, new int[] {0, 4}, new int[] {1, 0});
      transpose(element, new int[] {1, 31, 1}, new int[] {2, 1, 0});
    }
  }

  @Test
  void transposesOfRandomShapes() {
    var random = new SplittableRandom(3);
    for (int i = 0; i < 150; i++) {
      int rank = 1 + random.nextInt(8);
      int[] extents = new int[rank];
      for (int d = 0; d < rank; d++) {
        extents[d] = 1 + random.nextInt(rank > 4 ? 4 : 21);
      }
      transpose(SIZES[random.nextInt(4)], extents, permutation(rank, random));
    }
  }

  private static void transpose(int element, int[] extents, int[] permutation) {
    int n = size(extents);
    byte[] x = random(n * element, 1);
    byte[] expected = new byte[x.length];
    int[] to = new int[extents.length];
    for (int d = 0; d < to.length; d++) {
      to[d] = extents[permutation[d]];
    }
    for (int p = 0; p < n; p++) {
      int[] index = index(p, to);
      int[] from = new int[index.length];
      for (int d = 0; d < index.length; d++) {
        from[permutation[d]] = index[d];
      }
      System.arraycopy(x, position(from, extents) * element, expected, p * element, element);
    }
    Area y = new Area(x.length);
    new Transpose(element, extents, permutation).run(Area.of(x).address, y.address, 0);
    assertThat(y.bytes())
        .as(
            "%d bytes %s %s",
            element, java.util.Arrays.toString(extents), java.util.Arrays.toString(permutation))
        .isEqualTo(expected);
  }

  @Test
  void slicesAndTheirPaddingOfRandomShapes() {
    var random = new SplittableRandom(4);
    for (int i = 0; i < 200; i++) {
      int element = SIZES[random.nextInt(4)];
      int rank = 1 + random.nextInt(4);
      int[] extents = new int[rank];
      int[] starts = new int[rank];
      int[] stops = new int[rank];
      int[] strides = new int[rank];
      int[] out = new int[rank];
      int[] high = new int[rank];
      int[] interior = new int[rank];
      for (int d = 0; d < rank; d++) {
        extents[d] = 1 + random.nextInt(40);
        starts[d] = random.nextInt(extents[d]);
        stops[d] = starts[d] + random.nextInt(extents[d] - starts[d] + 1);
        strides[d] = 1 + random.nextInt(3);
        out[d] = (stops[d] - starts[d] + strides[d] - 1) / strides[d];
        interior[d] = strides[d] - 1;
        int covered = out[d] == 0 ? 0 : (out[d] - 1) * strides[d] + 1;
        high[d] = extents[d] - starts[d] - covered;
      }
      byte[] x = random(size(extents) * element, 2);
      byte[] expected = new byte[size(out) * element];
      byte[] padded = new byte[x.length];
      for (int p = 0; p < padded.length; p++) {
        padded[p] = (byte) (0x1122334455667788L >>> (8 * (p % element)));
      }
      for (int p = 0; p < size(out); p++) {
        int[] index = index(p, out);
        for (int d = 0; d < rank; d++) {
          index[d] = starts[d] + index[d] * strides[d];
        }
        int from = position(index, extents) * element;
        System.arraycopy(x, from, expected, p * element, element);
        System.arraycopy(x, from, padded, from, element);
      }
      Area y = new Area(expected.length);
      new Slice(element, extents, starts, stops, strides).run(Area.of(x).address, y.address, 0);
      assertThat(y.bytes()).as("slice").isEqualTo(expected);
      Area back = new Area(x.length);
      new Pad(element, out, starts, high, interior, 0x1122334455667788L)
          .run(y.address, back.address, 0);
      assertThat(back.bytes()).as("pad").isEqualTo(padded);
    }
  }

  @Test
  void concatenationAlongAnyAxis() {
    for (int element : SIZES) {
      for (int outer : new int[] {0, 1, 3}) {
        for (int inner : new int[] {1, 7, 300}) {
          int[] sizes = {1, 5, 0, 3};
          Area y = new Area((long) outer * 9 * inner * element);
          Area[] areas = new Area[4];
          long[] addresses = new long[4];
          byte[][] x = new byte[4][];
          for (int i = 0; i < 4; i++) {
            x[i] = random(outer * sizes[i] * inner * element, i);
            areas[i] = Area.of(x[i]);
            addresses[i] = areas[i].address;
          }
          new Concat(element, outer, sizes, inner).run(addresses, y.address, 0);
          byte[] expected = new byte[outer * 9 * inner * element];
          int at = 0;
          for (int o = 0; o < outer; o++) {
            for (int i = 0; i < 4; i++) {
              int n = sizes[i] * inner * element;
              System.arraycopy(x[i], o * n, expected, at, n);
              at += n;
            }
          }
          assertThat(y.bytes()).isEqualTo(expected);
        }
      }
    }
  }

  @Test
  void gatherAndScatterAdd() {
    var random = new SplittableRandom(8);
    for (int inner : new int[] {1, 3, 16, 37, 784}) {
      for (int outer : new int[] {1, 4}) {
        int rows = 11;
        int count = 23;
        int[] indices = new int[count];
        for (int i = 0; i < count; i++) {
          indices[i] = random.nextInt(rows);
        }
        for (int element : SIZES) {
          byte[] x = random(outer * rows * inner * element, 1);
          byte[] expected = new byte[outer * count * inner * element];
          for (int o = 0; o < outer; o++) {
            for (int i = 0; i < count; i++) {
              System.arraycopy(
                  x,
                  (o * rows + indices[i]) * inner * element,
                  expected,
                  (o * count + i) * inner * element,
                  inner * element);
            }
          }
          Area y = new Area(expected.length);
          new Gather(element, outer, rows, inner, count)
              .run(Area.of(x).address, Area.of(indices).address, y.address, 0);
          assertThat(y.bytes()).isEqualTo(expected);
        }
        float[] src = Area.random((long) outer * count * inner, 2);
        float[] start = Area.random((long) outer * rows * inner, 3);
        for (Update update : Update.values()) {
          double[] expected = new double[start.length];
          for (int p = 0; update == Update.ADD && p < start.length; p++) {
            expected[p] = start[p];
          }
          for (int p = 0; p < src.length; p++) {
            int i = p / inner % count;
            expected[(p / inner / count * rows + indices[i]) * inner + p % inner] += src[p];
          }
          Area y = update == Update.ADD ? Area.of(start) : new Area(4L * start.length);
          new ScatterAdd(outer, rows, inner, count, update)
              .run(Area.of(src).address, Area.of(indices).address, y.address, 0);
          Area.assertClose(y.floats(), expected, count, "scatter-add");
        }
      }
    }
  }

  @Test
  void anIndexOutsideIsAnErrorAndWritesNothing() {
    for (int bad : new int[] {-1, 5, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
      Area x = Area.of(Area.random(10, 1));
      Area indices = Area.of(0, 4, bad);
      Area y = Area.of(1f, 2f, 3f, 4f, 5f, 6f);
      assertThatThrownBy(
              () -> new Gather(4, 1, 5, 2, 3).run(x.address, indices.address, y.address, 0))
          .isInstanceOf(IndexOutOfBoundsException.class)
          .hasMessage("gather: index " + bad + " at position 2 is outside an axis of size 5");
      assertThat(y.floats()).containsExactly(1f, 2f, 3f, 4f, 5f, 6f);
      Area to = Area.of(Area.random(10, 2));
      float[] before = to.floats();
      assertThatThrownBy(() ->
              new ScatterAdd(1, 5, 2, 3, Update.SET).run(y.address, indices.address, to.address, 0))
          .isInstanceOf(IndexOutOfBoundsException.class)
          .hasMessageStartingWith("scatter-add: index " + bad);
      assertThat(to.floats()).isEqualTo(before);
    }
  }

  @Test
  void fillsAndCopiesOfEveryLength() {
    for (int n = 0; n < 200; n++) {
      for (int element : SIZES) {
        Area y = new Area((long) n * element);
        new Fill(element, n, 0x1122334455667788L).run(y.address, 0);
        byte[] v = y.bytes();
        for (int p = 0; p < v.length; p++) {
          assertThat(v[p]).isEqualTo((byte) (0x1122334455667788L >>> (8 * (p % element))));
        }
      }
      copy(n);
    }
    copy(1023);
    copy(1024);
    copy(70_001);
    Area y = new Area(4 * 37);
    Fill.of(37, -0.5f).run(y.address, 0);
    assertThat(y.floats()).containsOnly(-0.5f);
  }

  private static void copy(int n) {
    byte[] x = random(n, n);
    Area y = new Area(n);
    new Copy(n).run(Area.of(x).address, y.address, 0);
    assertThat(y.bytes()).isEqualTo(x);
  }

  @Test
  void badArgumentsAreNamed() {
    assertThatThrownBy(() -> new Transpose(4, new int[] {2, 3}, new int[] {0, 0}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("no permutation");
    assertThatThrownBy(() -> new Transpose(3, new int[] {2}, new int[] {0}))
        .hasMessageContaining("1, 2, 4 or 8 bytes");
    assertThatThrownBy(
            () -> new Slice(4, new int[] {4}, new int[] {1}, new int[] {5}, new int[] {1}))
        .hasMessageContaining("1:5:1 does not fit axis 0 of size 4");
    assertThatThrownBy(
            () -> new Pad(4, new int[] {4}, new int[] {-1}, new int[] {0}, new int[] {0}, 0))
        .hasMessageContaining("at least 0");
  }
}
