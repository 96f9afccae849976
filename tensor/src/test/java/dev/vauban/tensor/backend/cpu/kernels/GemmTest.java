package dev.vauban.tensor.backend.cpu.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vauban.tensor.backend.cpu.kernels.Gemm.Form;
import dev.vauban.tensor.backend.cpu.kernels.Gemm.Operand;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class GemmTest {
  @Test
  void everySmallSizeInEveryFormMatchesDoubleLoops() {
    int[] ms = {1, 2, 3, 5, 7, 8, 9, 13, 25};
    int[] ns = {1, 3, 5, 8, 13, 16, 17, 31, 32, 33, 64, 70};
    int[] ks = {1, 3, 17, 64};
    for (int m : ms) {
      for (int n : ns) {
        for (int k : ks) {
          int form = (m + n + k) % 4;
          check(1, m, n, k, form, (m + n) % 2 == 0 ? Update.SET : Update.ADD, 0);
        }
      }
    }
  }

  @Test
  void everyFormWithBatchesAndStridesAcrossBlockBorders() {
    int[][] sizes = {{1, 65, 33, 300}, {3, 17, 5, 31}, {2, 130, 70, 513}, {2, 7, 1030, 9}};
    for (int[] s : sizes) {
      for (int form = 0; form < 4; form++) {
        for (Update update : Update.values()) {
          check(s[0], s[1], s[2], s[3], form, update, 0);
          check(s[0], s[1], s[2], s[3], form, update, 5);
        }
      }
    }
  }

  @Test
  void stridesThatCollideInTheCacheArePackedCorrectly() {
    check(1, 150, 96, 256, 0, Update.SET, 0);
    check(1, 256, 96, 40, 2, Update.ADD, 0);
    check(1, 256, 512, 70, 3, Update.SET, 0);
    check(2, 30, 64, 1100, 0, Update.SET, 3);
  }

  @Test
  void seededRandomShapes() {
    var random = new SplittableRandom(5);
    for (int i = 0; i < 150; i++) {
      int m = 1 + random.nextInt(90);
      int n = 1 + random.nextInt(90);
      int k = random.nextInt(200);
      Update update = random.nextBoolean() ? Update.SET : Update.ADD;
      check(1 + random.nextInt(3), m, n, k, random.nextInt(4), update, random.nextInt(4));
    }
  }

  @Test
  void aSharedOperandHasBatchStrideZero() {
    float[] a = Area.random(3 * 4, 1);
    float[] b = Area.random(2 * 4 * 5, 2);
    Area c = new Area(4 * 2 * 3 * 5);
    Gemm gemm =
        new Gemm(
            2,
            3,
            5,
            4,
            new Operand(Form.PLAIN, 4, 0),
            new Operand(Form.PLAIN, 5, 20),
            new Operand(Form.PLAIN, 5, 15),
            Update.SET);
    gemm.run(
        Area.of(a).address, Area.of(b).address, c.address, new Area(gemm.scratchBytes()).address);
    double[] expected = new double[30];
    for (int g = 0; g < 2; g++) {
      for (int i = 0; i < 3; i++) {
        for (int j = 0; j < 5; j++) {
          for (int p = 0; p < 4; p++) {
            expected[g * 15 + i * 5 + j] += (double) a[i * 4 + p] * b[g * 20 + p * 5 + j];
          }
        }
      }
    }
    Area.assertClose(c.floats(), expected, 4, "shared A");
  }

  @Test
  void anEmptyReductionIsZeroOrChangesNothing() {
    Area c = new Area(4 * 6);
    Gemm.of(1, 2, 3, 0, Form.PLAIN, Form.PLAIN, Update.SET).run(0, 0, c.address, 0);
    assertThat(c.floats()).containsOnly(0f);
    Area d = Area.of(1f, 2f, 3f, 4f, 5f, 6f);
    Gemm.of(1, 2, 3, 0, Form.PLAIN, Form.PLAIN, Update.ADD).run(0, 0, d.address, 0);
    assertThat(d.floats()).containsExactly(1f, 2f, 3f, 4f, 5f, 6f);
  }

  @Test
  void infinitiesAndNanStayInTheirRowsAndColumns() {
    float[] a = Area.random(9 * 20, 3);
    a[4 * 20 + 7] = Float.POSITIVE_INFINITY;
    a[6 * 20 + 3] = Float.NaN;
    float[] b = Area.random(20 * 37, 4);
    Area c = new Area(4 * 9 * 37);
    Gemm gemm = Gemm.of(1, 9, 37, 20, Form.PLAIN, Form.PLAIN, Update.SET);
    gemm.run(
        Area.of(a).address, Area.of(b).address, c.address, new Area(gemm.scratchBytes()).address);
    float[] v = c.floats();
    for (int i = 0; i < 9; i++) {
      for (int j = 0; j < 37; j++) {
        float x = v[i * 37 + j];
        if (i == 6) {
          assertThat(x).isNaN();
        } else if (i == 4) {
          assertThat(Math.abs(x)).isEqualTo(Float.POSITIVE_INFINITY);
        } else {
          assertThat(Float.isFinite(x)).isTrue();
        }
      }
    }
  }

  @Test
  void badSizesAreNamed() {
    Operand ok = new Operand(Form.PLAIN, 4, 16);
    assertThatThrownBy(() -> new Gemm(1, 4, 4, -1, ok, ok, ok, Update.SET))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("k -1");
    assertThatThrownBy(
            () -> new Gemm(1, 4, 4, 4, new Operand(Form.PLAIN, 3, 16), ok, ok, Update.SET))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("row stride 3");
    assertThatThrownBy(
            () -> new Gemm(2, 4, 4, 4, ok, ok, new Operand(Form.PLAIN, 4, 8), Update.SET))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("overlap");
  }

  /** Bit 0 of {@code form}: B is transposed; bit 1: A is. {@code gap} lengthens every stride. */
  private static void check(int batch, int m, int n, int k, int form, Update update, int gap) {
    boolean ta = (form & 2) != 0;
    boolean tb = (form & 1) != 0;
    int lda = (ta ? m : k) + gap;
    int ldb = (tb ? k : n) + gap;
    int ldc = n + gap;
    int rowsA = ta ? k : m;
    int rowsB = tb ? n : k;
    float[] a = Area.random((long) batch * rowsA * lda + 1, 11);
    float[] b = Area.random((long) batch * rowsB * ldb + 1, 12);
    float[] c = Area.random((long) batch * m * ldc, 13);
    double[] expected = new double[c.length];
    for (int g = 0; g < batch; g++) {
      for (int i = 0; i < m; i++) {
        for (int j = 0; j < ldc; j++) {
          int at = (g * m + i) * ldc + j;
          double sum = update == Update.ADD || j >= n ? c[at] : 0;
          for (int p = 0; j < n && p < k; p++) {
            float x = a[g * rowsA * lda + (ta ? p * lda + i : i * lda + p)];
            float y = b[g * rowsB * ldb + (tb ? j * ldb + p : p * ldb + j)];
            sum += (double) x * y;
          }
          expected[at] = sum;
        }
      }
    }
    if (update == Update.SET) {
      for (int at = 0; at < c.length; at++) {
        c[at] = at % ldc < n ? Float.NaN : c[at];
      }
    }
    Gemm gemm =
        new Gemm(
            batch,
            m,
            n,
            k,
            new Operand(ta ? Form.TRANSPOSED : Form.PLAIN, lda, (long) rowsA * lda),
            new Operand(tb ? Form.TRANSPOSED : Form.PLAIN, ldb, (long) rowsB * ldb),
            new Operand(Form.PLAIN, ldc, (long) m * ldc),
            update);
    Area to = Area.of(c);
    Area scratch = new Area(gemm.scratchBytes());
    gemm.run(Area.of(a).address, Area.of(b).address, to.address, scratch.address);
    scratch.checkGuards();
    String what = batch + "x " + m + "x" + n + "x" + k + " form " + form + " " + update + " " + gap;
    Area.assertClose(to.floats(), expected, k, what);
  }
}
