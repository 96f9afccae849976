package dev.vauban.tensor.backend.cpu.kernels;

import static dev.vauban.tensor.backend.cpu.kernels.Memory.ALL;
import static dev.vauban.tensor.backend.cpu.kernels.Species.BYTES;
import static dev.vauban.tensor.backend.cpu.kernels.Species.ORDER;
import static dev.vauban.tensor.backend.cpu.kernels.WinogradLines.A;
import static dev.vauban.tensor.backend.cpu.kernels.WinogradLines.B;
import static dev.vauban.tensor.backend.cpu.kernels.WinogradLines.INPUTS;
import static dev.vauban.tensor.backend.cpu.kernels.WinogradLines.TAPS;
import static dev.vauban.tensor.backend.cpu.kernels.WinogradLines.constant;
import static dev.vauban.tensor.backend.cpu.kernels.WinogradLines.load;

import jdk.incubator.vector.FloatVector;

/**
 * {@code G} of {@link WinogradLines} and its transpose, for kernels and their gradients. Tiles of
 * three ({@link WinogradShortLines}) use the same transformed kernels.
 */
final class WinogradTaps {
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

  private WinogradTaps() {}

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
      evenA.fma(ga0, evenB.fma(gb0, load(from).mul(g0))).intoMemorySegment(ALL, to, ORDER);
      oddA.fma(ga1, oddB.mul(gb1)).intoMemorySegment(ALL, to + toStep, ORDER);
      evenA
          .fma(ga2, evenB.fma(gb2, load(from + 5 * step)))
          .intoMemorySegment(ALL, to + 2 * toStep, ORDER);
      from += next;
      to += toNext;
    }
  }
}
