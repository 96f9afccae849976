package dev.vauban.tensor.backend.cpu.kernels;

import static dev.vauban.tensor.backend.cpu.kernels.Memory.ALL;
import static dev.vauban.tensor.backend.cpu.kernels.Species.BYTES;
import static dev.vauban.tensor.backend.cpu.kernels.Species.ORDER;
import static dev.vauban.tensor.backend.cpu.kernels.WinogradLines.A;
import static dev.vauban.tensor.backend.cpu.kernels.WinogradLines.A2;
import static dev.vauban.tensor.backend.cpu.kernels.WinogradLines.B;
import static dev.vauban.tensor.backend.cpu.kernels.WinogradLines.B2;
import static dev.vauban.tensor.backend.cpu.kernels.WinogradLines.INPUTS;
import static dev.vauban.tensor.backend.cpu.kernels.WinogradLines.PRODUCT;
import static dev.vauban.tensor.backend.cpu.kernels.WinogradLines.SUM;
import static dev.vauban.tensor.backend.cpu.kernels.WinogradLines.constant;
import static dev.vauban.tensor.backend.cpu.kernels.WinogradLines.load;

import jdk.incubator.vector.FloatVector;

/**
 * The transforms of {@link WinogradLines} for three results: F(3, 3) on the points without 0, that
 * is positions 1 to 5. The transformed kernels are those of F(4, 3): row p of {@code G} is divided
 * by the product of the differences to the other points, and that product lacks here the difference
 * p - 0, so row p of {@code Bᵀ} makes up for it by the factor p.
 */
final class WinogradShortLines {
  /** Outputs of a tile along one side. */
  static final int OUTPUTS = 3;

  private WinogradShortLines() {}

  /**
   * {@code Bᵀ} down the columns of the data: five rows of {@code n} pixels to rows 1 to 5 of
   * vectors; for the parameters see {@link WinogradLines#dataColumns}.
   */
  static void dataColumns(
      long r0,
      long r1,
      long r2,
      long r3,
      long r4,
      long s0,
      long s1,
      long s2,
      long s3,
      long s4,
      long to,
      long toRow,
      int n) {
    FloatVector sum = constant(-SUM);
    FloatVector product = constant(-PRODUCT);
    FloatVector a = constant(A);
    FloatVector b = constant(B);
    FloatVector a2 = constant(A2);
    FloatVector b2 = constant(B2);
    FloatVector minusA2 = constant(-A2);
    FloatVector minusB2 = constant(-B2);
    for (int i = 0; i < n; i++) {
      FloatVector d0 = load(r0).mul(product);
      FloatVector d1 = load(r1);
      FloatVector d2 = load(r2);
      FloatVector d3 = load(r3);
      d2.fma(sum, load(r4)).sub(d0).intoMemorySegment(ALL, to + 5 * toRow, ORDER);
      FloatVector even = d2.fma(a2, d0);
      FloatVector odd = d1.fma(minusB2, d3).mul(a);
      even.add(odd).intoMemorySegment(ALL, to + toRow, ORDER);
      even.sub(odd).intoMemorySegment(ALL, to + 2 * toRow, ORDER);
      even = d2.fma(b2, d0);
      odd = d1.fma(minusA2, d3).mul(b);
      even.add(odd).intoMemorySegment(ALL, to + 3 * toRow, ORDER);
      even.sub(odd).intoMemorySegment(ALL, to + 4 * toRow, ORDER);
      r0 += s0;
      r1 += s1;
      r2 += s2;
      r3 += s3;
      r4 += s4;
      to += BYTES;
    }
  }

  /** {@code Bᵀ} along the rows of the data; see {@link WinogradLines#dataRows}. */
  static void dataRows(
      long from, long fromRow, int first, long to, long position, long tile, int tiles) {
    FloatVector sum = constant(-SUM);
    FloatVector product = constant(-PRODUCT);
    FloatVector a = constant(A);
    FloatVector b = constant(B);
    FloatVector a2 = constant(A2);
    FloatVector b2 = constant(B2);
    FloatVector minusA2 = constant(-A2);
    FloatVector minusB2 = constant(-B2);
    for (int t = 0; t < tiles; t++) {
      long in = from + first * fromRow;
      long out = to + first * INPUTS * position;
      for (int i = first; i < INPUTS; i++) {
        FloatVector d0 = load(in).mul(product);
        FloatVector d1 = load(in + BYTES);
        FloatVector d2 = load(in + 2 * BYTES);
        FloatVector d3 = load(in + 3 * BYTES);
        d2.fma(sum, load(in + 4 * BYTES)).sub(d0).intoMemorySegment(ALL, out + 5 * position, ORDER);
        FloatVector even = d2.fma(a2, d0);
        FloatVector odd = d1.fma(minusB2, d3).mul(a);
        even.add(odd).intoMemorySegment(ALL, out + position, ORDER);
        even.sub(odd).intoMemorySegment(ALL, out + 2 * position, ORDER);
        even = d2.fma(b2, d0);
        odd = d1.fma(minusA2, d3).mul(b);
        even.add(odd).intoMemorySegment(ALL, out + 3 * position, ORDER);
        even.sub(odd).intoMemorySegment(ALL, out + 4 * position, ORDER);
        in += fromRow;
        out += INPUTS * position;
      }
      from += OUTPUTS * BYTES;
      to += tile;
    }
  }

  /** {@code Aᵀ} along the rows of the products; see {@link WinogradLines#outputRows}. */
  static void outputRows(
      long from, long position, long tile, int tiles, int first, long to, long toRow) {
    FloatVector a = constant(A);
    FloatVector b = constant(B);
    FloatVector a2 = constant(A2);
    FloatVector b2 = constant(B2);
    for (int t = 0; t < tiles; t++) {
      long in = from + first * INPUTS * position;
      long out = to + first * toRow;
      for (int i = first; i < INPUTS; i++) {
        FloatVector p = load(in + position);
        FloatVector q = load(in + 2 * position);
        FloatVector evenA = p.add(q);
        FloatVector oddA = p.sub(q);
        p = load(in + 3 * position);
        q = load(in + 4 * position);
        FloatVector evenB = p.add(q);
        FloatVector oddB = p.sub(q);
        evenA.add(evenB).intoMemorySegment(ALL, out, ORDER);
        oddA.fma(a, oddB.mul(b)).intoMemorySegment(ALL, out + BYTES, ORDER);
        evenA
            .fma(a2, evenB.fma(b2, load(in + 5 * position)))
            .intoMemorySegment(ALL, out + 2 * BYTES, ORDER);
        in += INPUTS * position;
        out += toRow;
      }
      from += tile;
      to += OUTPUTS * BYTES;
    }
  }

  /** {@code Aᵀ} down the columns of the products; see {@link WinogradLines#outputColumns}. */
  static void outputColumns(
      long from, long fromRow, int n, long r0, long r1, long r2, long s0, long s1, long s2) {
    FloatVector a = constant(A);
    FloatVector b = constant(B);
    FloatVector a2 = constant(A2);
    FloatVector b2 = constant(B2);
    for (int i = 0; i < n; i++) {
      FloatVector p = load(from + fromRow);
      FloatVector q = load(from + 2 * fromRow);
      FloatVector evenA = p.add(q);
      FloatVector oddA = p.sub(q);
      p = load(from + 3 * fromRow);
      q = load(from + 4 * fromRow);
      FloatVector evenB = p.add(q);
      FloatVector oddB = p.sub(q);
      evenA.add(evenB).intoMemorySegment(ALL, r0, ORDER);
      oddA.fma(a, oddB.mul(b)).intoMemorySegment(ALL, r1, ORDER);
      evenA.fma(a2, evenB.fma(b2, load(from + 5 * fromRow))).intoMemorySegment(ALL, r2, ORDER);
      from += BYTES;
      r0 += s0;
      r1 += s1;
      r2 += s2;
    }
  }

  /** {@code A} down the columns of a gradient; see {@link WinogradLines#gradientColumns}. */
  static void gradientColumns(
      long r0, long r1, long r2, long s0, long s1, long s2, long to, long toRow, int n) {
    FloatVector a = constant(A);
    FloatVector b = constant(B);
    FloatVector a2 = constant(A2);
    FloatVector b2 = constant(B2);
    for (int i = 0; i < n; i++) {
      FloatVector y0 = load(r0);
      FloatVector y1 = load(r1);
      FloatVector y2 = load(r2);
      y2.intoMemorySegment(ALL, to + 5 * toRow, ORDER);
      FloatVector even = y2.fma(a2, y0);
      FloatVector odd = y1.mul(a);
      even.add(odd).intoMemorySegment(ALL, to + toRow, ORDER);
      even.sub(odd).intoMemorySegment(ALL, to + 2 * toRow, ORDER);
      even = y2.fma(b2, y0);
      odd = y1.mul(b);
      even.add(odd).intoMemorySegment(ALL, to + 3 * toRow, ORDER);
      even.sub(odd).intoMemorySegment(ALL, to + 4 * toRow, ORDER);
      r0 += s0;
      r1 += s1;
      r2 += s2;
      to += BYTES;
    }
  }

  /** {@code A} along the rows of a gradient; see {@link WinogradLines#gradientRows}. */
  static void gradientRows(
      long from, long fromRow, int first, long to, long position, long tile, int tiles) {
    FloatVector a = constant(A);
    FloatVector b = constant(B);
    FloatVector a2 = constant(A2);
    FloatVector b2 = constant(B2);
    for (int t = 0; t < tiles; t++) {
      long in = from + first * fromRow;
      long out = to + first * INPUTS * position;
      for (int i = first; i < INPUTS; i++) {
        FloatVector y0 = load(in);
        FloatVector y1 = load(in + BYTES);
        FloatVector y2 = load(in + 2 * BYTES);
        y2.intoMemorySegment(ALL, out + 5 * position, ORDER);
        FloatVector even = y2.fma(a2, y0);
        FloatVector odd = y1.mul(a);
        even.add(odd).intoMemorySegment(ALL, out + position, ORDER);
        even.sub(odd).intoMemorySegment(ALL, out + 2 * position, ORDER);
        even = y2.fma(b2, y0);
        odd = y1.mul(b);
        even.add(odd).intoMemorySegment(ALL, out + 3 * position, ORDER);
        even.sub(odd).intoMemorySegment(ALL, out + 4 * position, ORDER);
        in += fromRow;
        out += INPUTS * position;
      }
      from += OUTPUTS * BYTES;
      to += tile;
    }
  }
}
