package dev.vauban.tensor.backend.cpu.kernels;

import static dev.vauban.tensor.backend.cpu.kernels.Memory.ALL;
import static dev.vauban.tensor.backend.cpu.kernels.Species.BYTES;
import static dev.vauban.tensor.backend.cpu.kernels.Species.F32;
import static dev.vauban.tensor.backend.cpu.kernels.Species.ORDER;

import jdk.incubator.vector.FloatVector;

/**
 * The one-dimensional transforms of F(4, 3), each a loop over vectors of channels; a tile is
 * transformed along its columns and then along its rows.
 *
 * <p>The points are 0, &plusmn;a, &plusmn;b and infinity with a = 5/8 and b = 3/2. Every factor of
 * {@code Bᵀ} and {@code Aᵀ} is then an exact float. Measured on normal data (64 channels, 64
 * filters), the error is 2.2 times less than with the usual points 0, &plusmn;1, &plusmn;2, and
 * 2.1 times less than with &plusmn;1, &plusmn;1/2: their powers spread less.
 *
 * <p>Paper: <a href="https://arxiv.org/abs/1509.09308">Lavin and Gray 2016</a>; points: <a
 * href="https://arxiv.org/abs/1803.10986">Barabasz et al. 2020</a>.
 */
final class WinogradLines {
  /** Outputs of a tile along one side. */
  static final int OUTPUTS = 4;

  /** Inputs of a tile along one side, and transformed positions. */
  static final int INPUTS = 6;

  /** Taps of the kernel along one side. */
  static final int TAPS = 3;

  private static final float A = 0.625f;
  private static final float B = 1.5f;
  private static final float A2 = A * A;
  private static final float B2 = B * B;
  private static final float A3 = A2 * A;
  private static final float B3 = B2 * B;
  private static final float SUM = A2 + B2;
  private static final float PRODUCT = A2 * B2;

  // Rows of G: (1, p, p²) divided by the product of the differences to the other points.
  private static final double DA = 2.0 * A * A * (A * A - B * B);
  private static final double DB = 2.0 * B * B * (B * B - A * A);
  private static final float G0 = (float) (1.0 / (A * A * B * B));
  private static final float GA0 = (float) (1 / DA);
  private static final float GA1 = (float) (A / DA);
  private static final float GA2 = (float) (A * A / DA);
  private static final float GB0 = (float) (1 / DB);
  private static final float GB1 = (float) (B / DB);
  private static final float GB2 = (float) (B * B / DB);

  private WinogradLines() {}

  private static FloatVector load(long address) {
    return FloatVector.fromMemorySegment(F32, ALL, address, ORDER);
  }

  private static FloatVector constant(float value) {
    return FloatVector.broadcast(F32, value);
  }

  /**
   * {@code Bᵀ} down the columns of the data: six rows of {@code n} pixels to six rows of vectors.
   *
   * @param r0 address of the first row's first vector, likewise the others
   * @param s0 bytes from one pixel of the first row to the next, 0 for a row of zeros
   * @param to address of the result; rows {@code toRow} bytes apart, vectors side by side
   */
  static void dataColumns(
      long r0,
      long r1,
      long r2,
      long r3,
      long r4,
      long r5,
      long s0,
      long s1,
      long s2,
      long s3,
      long s4,
      long s5,
      long to,
      long toRow,
      int n) {
    FloatVector sum = constant(-SUM);
    FloatVector product = constant(PRODUCT);
    FloatVector a = constant(A);
    FloatVector b = constant(B);
    FloatVector a2 = constant(-A2);
    FloatVector b2 = constant(-B2);
    for (int i = 0; i < n; i++) {
      FloatVector d0 = load(r0);
      FloatVector d1 = load(r1);
      FloatVector d2 = load(r2);
      FloatVector d3 = load(r3);
      FloatVector d4 = load(r4);
      FloatVector d5 = load(r5);
      d2.fma(sum, d4).add(d0.mul(product)).intoMemorySegment(ALL, to, ORDER);
      d3.fma(sum, d5).add(d1.mul(product)).intoMemorySegment(ALL, to + 5 * toRow, ORDER);
      FloatVector even = d2.fma(b2, d4);
      FloatVector odd = d1.fma(b2, d3).mul(a);
      even.add(odd).intoMemorySegment(ALL, to + toRow, ORDER);
      even.sub(odd).intoMemorySegment(ALL, to + 2 * toRow, ORDER);
      even = d2.fma(a2, d4);
      odd = d1.fma(a2, d3).mul(b);
      even.add(odd).intoMemorySegment(ALL, to + 3 * toRow, ORDER);
      even.sub(odd).intoMemorySegment(ALL, to + 4 * toRow, ORDER);
      r0 += s0;
      r1 += s1;
      r2 += s2;
      r3 += s3;
      r4 += s4;
      r5 += s5;
      to += BYTES;
    }
  }

  /**
   * {@code Bᵀ} along the rows of the data, for tiles that overlap in two columns.
   *
   * @param from six rows of vectors, {@code fromRow} bytes apart
   * @param to address of the first tile's vector of position 0; positions {@code position} bytes
   *     apart, tiles {@code tile} bytes apart
   */
  static void dataRows(long from, long fromRow, long to, long position, long tile, int tiles) {
    FloatVector sum = constant(-SUM);
    FloatVector product = constant(PRODUCT);
    FloatVector a = constant(A);
    FloatVector b = constant(B);
    FloatVector a2 = constant(-A2);
    FloatVector b2 = constant(-B2);
    for (int t = 0; t < tiles; t++) {
      long in = from;
      long out = to;
      for (int i = 0; i < INPUTS; i++) {
        FloatVector d0 = load(in);
        FloatVector d1 = load(in + BYTES);
        FloatVector d2 = load(in + 2 * BYTES);
        FloatVector d3 = load(in + 3 * BYTES);
        FloatVector d4 = load(in + 4 * BYTES);
        FloatVector d5 = load(in + 5 * BYTES);
        d2.fma(sum, d4).add(d0.mul(product)).intoMemorySegment(ALL, out, ORDER);
        d3.fma(sum, d5).add(d1.mul(product)).intoMemorySegment(ALL, out + 5 * position, ORDER);
        FloatVector even = d2.fma(b2, d4);
        FloatVector odd = d1.fma(b2, d3).mul(a);
        even.add(odd).intoMemorySegment(ALL, out + position, ORDER);
        even.sub(odd).intoMemorySegment(ALL, out + 2 * position, ORDER);
        even = d2.fma(a2, d4);
        odd = d1.fma(a2, d3).mul(b);
        even.add(odd).intoMemorySegment(ALL, out + 3 * position, ORDER);
        even.sub(odd).intoMemorySegment(ALL, out + 4 * position, ORDER);
        in += fromRow;
        out += INPUTS * position;
      }
      from += OUTPUTS * BYTES;
      to += tile;
    }
  }

  /** {@code Aᵀ} along the rows of the products: the reverse of the layout of {@link #dataRows}. */
  static void outputRows(long from, long position, long tile, int tiles, long to, long toRow) {
    FloatVector a = constant(A);
    FloatVector b = constant(B);
    FloatVector a2 = constant(A2);
    FloatVector b2 = constant(B2);
    FloatVector a3 = constant(A3);
    FloatVector b3 = constant(B3);
    for (int t = 0; t < tiles; t++) {
      long in = from;
      long out = to;
      for (int i = 0; i < INPUTS; i++) {
        FloatVector p = load(in + position);
        FloatVector q = load(in + 2 * position);
        FloatVector evenA = p.add(q);
        FloatVector oddA = p.sub(q);
        p = load(in + 3 * position);
        q = load(in + 4 * position);
        FloatVector evenB = p.add(q);
        FloatVector oddB = p.sub(q);
        load(in).add(evenA.add(evenB)).intoMemorySegment(ALL, out, ORDER);
        oddA.fma(a, oddB.mul(b)).intoMemorySegment(ALL, out + BYTES, ORDER);
        evenA.fma(a2, evenB.mul(b2)).intoMemorySegment(ALL, out + 2 * BYTES, ORDER);
        oddA.fma(a3, oddB.fma(b3, load(in + 5 * position)))
            .intoMemorySegment(ALL, out + 3 * BYTES, ORDER);
        in += INPUTS * position;
        out += toRow;
      }
      from += tile;
      to += OUTPUTS * BYTES;
    }
  }

  /**
   * {@code Aᵀ} down the columns of the products: six rows of vectors to four rows of pixels.
   *
   * @param r0 address of the first result row's first vector, likewise the others
   * @param s0 bytes from one pixel of it to the next, 0 for a row that is thrown away
   */
  static void outputColumns(
      long from,
      long fromRow,
      int n,
      long r0,
      long r1,
      long r2,
      long r3,
      long s0,
      long s1,
      long s2,
      long s3) {
    FloatVector a = constant(A);
    FloatVector b = constant(B);
    FloatVector a2 = constant(A2);
    FloatVector b2 = constant(B2);
    FloatVector a3 = constant(A3);
    FloatVector b3 = constant(B3);
    for (int i = 0; i < n; i++) {
      FloatVector p = load(from + fromRow);
      FloatVector q = load(from + 2 * fromRow);
      FloatVector evenA = p.add(q);
      FloatVector oddA = p.sub(q);
      p = load(from + 3 * fromRow);
      q = load(from + 4 * fromRow);
      FloatVector evenB = p.add(q);
      FloatVector oddB = p.sub(q);
      load(from).add(evenA.add(evenB)).intoMemorySegment(ALL, r0, ORDER);
      oddA.fma(a, oddB.mul(b)).intoMemorySegment(ALL, r1, ORDER);
      evenA.fma(a2, evenB.mul(b2)).intoMemorySegment(ALL, r2, ORDER);
      oddA.fma(a3, oddB.fma(b3, load(from + 5 * fromRow))).intoMemorySegment(ALL, r3, ORDER);
      from += BYTES;
      r0 += s0;
      r1 += s1;
      r2 += s2;
      r3 += s3;
    }
  }

  /** {@code A} down the columns of a gradient: four rows of pixels to six rows of vectors. */
  static void gradientColumns(
      long r0,
      long r1,
      long r2,
      long r3,
      long s0,
      long s1,
      long s2,
      long s3,
      long to,
      long toRow,
      int n) {
    FloatVector a = constant(A);
    FloatVector b = constant(B);
    FloatVector a2 = constant(A2);
    FloatVector b2 = constant(B2);
    for (int i = 0; i < n; i++) {
      FloatVector y0 = load(r0);
      FloatVector y1 = load(r1);
      FloatVector y2 = load(r2);
      FloatVector y3 = load(r3);
      y0.intoMemorySegment(ALL, to, ORDER);
      y3.intoMemorySegment(ALL, to + 5 * toRow, ORDER);
      FloatVector even = y2.fma(a2, y0);
      FloatVector odd = y3.fma(a2, y1).mul(a);
      even.add(odd).intoMemorySegment(ALL, to + toRow, ORDER);
      even.sub(odd).intoMemorySegment(ALL, to + 2 * toRow, ORDER);
      even = y2.fma(b2, y0);
      odd = y3.fma(b2, y1).mul(b);
      even.add(odd).intoMemorySegment(ALL, to + 3 * toRow, ORDER);
      even.sub(odd).intoMemorySegment(ALL, to + 4 * toRow, ORDER);
      r0 += s0;
      r1 += s1;
      r2 += s2;
      r3 += s3;
      to += BYTES;
    }
  }

  /** {@code A} along the rows of a gradient, whose tiles do not overlap. */
  static void gradientRows(long from, long fromRow, long to, long position, long tile, int tiles) {
    FloatVector a = constant(A);
    FloatVector b = constant(B);
    FloatVector a2 = constant(A2);
    FloatVector b2 = constant(B2);
    for (int t = 0; t < tiles; t++) {
      long in = from;
      long out = to;
      for (int i = 0; i < INPUTS; i++) {
        FloatVector y0 = load(in);
        FloatVector y1 = load(in + BYTES);
        FloatVector y2 = load(in + 2 * BYTES);
        FloatVector y3 = load(in + 3 * BYTES);
        y0.intoMemorySegment(ALL, out, ORDER);
        y3.intoMemorySegment(ALL, out + 5 * position, ORDER);
        FloatVector even = y2.fma(a2, y0);
        FloatVector odd = y3.fma(a2, y1).mul(a);
        even.add(odd).intoMemorySegment(ALL, out + position, ORDER);
        even.sub(odd).intoMemorySegment(ALL, out + 2 * position, ORDER);
        even = y2.fma(b2, y0);
        odd = y3.fma(b2, y1).mul(b);
        even.add(odd).intoMemorySegment(ALL, out + 3 * position, ORDER);
        even.sub(odd).intoMemorySegment(ALL, out + 4 * position, ORDER);
        in += fromRow;
        out += INPUTS * position;
      }
      from += OUTPUTS * BYTES;
      to += tile;
    }
  }

  /**
   * {@code G g Gᵀ} of one vector of filters.
   *
   * @param g address of tap (0, 0); tap rows lie {@code tapRow}, taps {@code tap} bytes apart
   * @param temporary 18 vectors
   * @param to address of position 0; positions lie {@code position} bytes apart
   */
  static void kernel(long g, long tapRow, long tap, long temporary, long to, long position) {
    long row = TAPS * BYTES;
    kernelLine(g, tapRow, tap, TAPS, temporary, row, BYTES);
    kernelLine(temporary, BYTES, row, INPUTS, to, position, INPUTS * position);
  }

  /** {@code G} applied {@code n} times; input i of the next lies {@code next} bytes on. */
  private static void kernelLine(
      long from, long step, long next, int n, long to, long toStep, long toNext) {
    FloatVector g0 = constant(G0);
    FloatVector ga0 = constant(GA0);
    FloatVector ga1 = constant(GA1);
    FloatVector ga2 = constant(GA2);
    FloatVector gb0 = constant(GB0);
    FloatVector gb1 = constant(GB1);
    FloatVector gb2 = constant(GB2);
    for (int i = 0; i < n; i++) {
      FloatVector w0 = load(from);
      FloatVector w1 = load(from + step);
      FloatVector w2 = load(from + 2 * step);
      w0.mul(g0).intoMemorySegment(ALL, to, ORDER);
      w2.intoMemorySegment(ALL, to + 5 * toStep, ORDER);
      FloatVector even = w0.fma(ga0, w2.mul(ga2));
      FloatVector odd = w1.mul(ga1);
      even.add(odd).intoMemorySegment(ALL, to + toStep, ORDER);
      even.sub(odd).intoMemorySegment(ALL, to + 2 * toStep, ORDER);
      even = w0.fma(gb0, w2.mul(gb2));
      odd = w1.mul(gb1);
      even.add(odd).intoMemorySegment(ALL, to + 3 * toStep, ORDER);
      even.sub(odd).intoMemorySegment(ALL, to + 4 * toStep, ORDER);
      from += next;
      to += toNext;
    }
  }

  /** {@code Gᵀ u G} of one vector of filters, the reverse of {@link #kernel}. */
  static void kernelGradient(
      long u, long position, long temporary, long to, long tapRow, long tap) {
    long row = INPUTS * BYTES;
    gradientLine(u, INPUTS * position, position, INPUTS, temporary, row, BYTES);
    gradientLine(temporary, BYTES, row, TAPS, to, tap, tapRow);
  }

  /** {@code Gᵀ} applied {@code n} times. */
  private static void gradientLine(
      long from, long step, long next, int n, long to, long toStep, long toNext) {
    FloatVector g0 = constant(G0);
    FloatVector ga0 = constant(GA0);
    FloatVector ga1 = constant(GA1);
    FloatVector ga2 = constant(GA2);
    FloatVector gb0 = constant(GB0);
    FloatVector gb1 = constant(GB1);
    FloatVector gb2 = constant(GB2);
    for (int i = 0; i < n; i++) {
      FloatVector p = load(from + step);
      FloatVector q = load(from + 2 * step);
      FloatVector evenA = p.add(q);
      FloatVector oddA = p.sub(q);
      p = load(from + 3 * step);
      q = load(from + 4 * step);
      FloatVector evenB = p.add(q);
      FloatVector oddB = p.sub(q);
      evenA
          .fma(ga0, evenB.fma(gb0, load(from).mul(g0)))
          .intoMemorySegment(ALL, to, ORDER);
      oddA.fma(ga1, oddB.mul(gb1)).intoMemorySegment(ALL, to + toStep, ORDER);
      evenA
          .fma(ga2, evenB.fma(gb2, load(from + 5 * step)))
          .intoMemorySegment(ALL, to + 2 * toStep, ORDER);
      from += next;
      to += toNext;
    }
  }

  /** Zeros in {@code n} neighbouring vectors of each of six rows. */
  static void zeros(long to, long toRow, int n) {
    FloatVector zero = FloatVector.zero(F32);
    for (int r = 0; r < INPUTS; r++) {
      for (int i = 0; i < n; i++) {
        zero.intoMemorySegment(ALL, to + r * toRow + (long) i * BYTES, ORDER);
      }
    }
  }
}
