package dev.vauban.tensor.backend.cpu;

import static jdk.incubator.vector.VectorOperators.EQ;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.LT;

import dev.vauban.tensor.backend.cpu.Bytecode.Slot;

/**
 * Elementary functions of f32 vectors, written out as additions, multiplications and bit
 * operations.
 *
 * <p>The Vector API has operators for them, but those give other last bits in the interpreter
 * ({@code Math.exp}, rounded) than in compiled code (a native vector library), so a result would
 * depend on when the just-in-time compiler ran. IEEE operations do not: every function here gives
 * the same bits always. They are emitted in line, since a helper method that has been compiled on
 * its own is no longer inlined and would box its vectors. The coefficients are weighted minimax
 * fits; errors are in units of the last place of the result, measured over all exponents.
 */
final class VectorMath {
  private static final float ROUNDER = 0x1.8p23f;
  private static final float LOG2_E = 0x1.715476p0f;
  private static final float LN2_HIGH = 0x1.62e43p-1f;
  private static final float LN2_LOW = -0x1.05c61p-29f;

  private final VectorOps code;

  VectorMath(VectorOps code) {
    this.code = code;
  }

  /** A number as 2^power (1 + rest), the last two as vectors; power also as integers. */
  private record Split(Slot power, Slot integer, Slot rest) {}

  /** e^x; error below 1.1 ulp. */
  Slot exp(Slot x) {
    Split s = reduce(within(x, -104, 89));
    Slot p =
        code.polynomial(
            s.rest,
            0.5f,
            0.16666512191295624f,
            0.0416661873459816f,
            0.008369598537683487f,
            0.0013951717410236597f);
    Slot y = code.add(code.fma(code.mul(s.rest, s.rest), p, s.rest), code.constant(1));
    // Two steps, so that 2^128 and subnormal results need no special case.
    Slot half = code.shiftRight(s.integer, 1);
    Slot other = code.subInt(s.integer, half);
    return code.mul(code.mul(y, powerOfTwo(half)), powerOfTwo(other));
  }

  /** e^x - 1; error below 1.5 ulp. */
  Slot expm1(Slot x) {
    Slot y = expm1Inside(within(x, -20, 89));
    return code.blend(y, x, code.compare(EQ, x, code.constant(0)));
  }

  /** e^x - 1 for x in [-20, 89] or NaN; the sign of zero is lost. */
  private Slot expm1Inside(Slot x) {
    Split s = reduce(x);
    Slot p =
        code.polynomial(
            s.rest,
            0.5f,
            0.1666666716337204f,
            0.041666340082883835f,
            0.008333271369338036f,
            0.0013942059595137835f,
            0.00019915032316930592f);
    Slot e = code.fma(code.mul(s.rest, s.rest), p, s.rest);
    // 2^n (1 + e) - 1, computed as 2 (h e + (h - 1/2)) with h = 2^(n-1), which cannot overflow.
    Slot h = powerOfTwo(code.addInt(s.integer, -1));
    Slot y = code.fma(e, h, code.sub(h, code.constant(0.5f)));
    return code.add(y, y);
  }

  /** Natural logarithm; error below 1 ulp; NaN below 0. */
  Slot log(Slot x) {
    Slot tiny = code.compare(LT, x, code.constant(Float.MIN_NORMAL));
    Slot scaled = code.blend(x, code.mul(x, code.constant(0x1p23f)), tiny);
    Slot y = logOfNormal(scaled, code.blend(code.constant(0), code.constant(-23), tiny));
    y = code.blend(y, x, code.compare(EQ, x, code.constant(Float.POSITIVE_INFINITY)));
    y =
        code.blend(
            y, code.constant(Float.NEGATIVE_INFINITY), code.compare(EQ, x, code.constant(0)));
    y = code.blend(y, code.constant(Float.NaN), code.compare(LT, x, code.constant(0)));
    return code.blend(y, x, code.isNaN(x));
  }

  /** log(x) + offset log(2) for positive normal x; anything else gives garbage. */
  private Slot logOfNormal(Slot x, Slot offset) {
    Slot bits = code.bits(x);
    Slot power = code.shiftRight(code.addInt(bits, -0x3f3504f3), 23);
    Slot mantissa = code.floats(code.subInt(bits, code.shiftLeft(power, 23)));
    Slot f = code.sub(mantissa, code.constant(1));
    Slot q =
        code.polynomial(
            f,
            0.33333316445350647f,
            -0.2500082552433014f,
            0.20002374053001404f,
            -0.16623997688293457f,
            0.1417882889509201f,
            -0.13132230937480927f,
            0.1290014237165451f,
            -0.07872853428125381f);
    Slot k = code.add(code.toFloats(power), offset);
    Slot square = code.mul(f, f);
    Slot tail = code.fma(code.mul(square, f), q, code.mul(k, code.constant(LN2_LOW)));
    tail = code.fma(square, code.constant(-0.5f), tail);
    return code.fma(k, code.constant(LN2_HIGH), code.add(f, tail));
  }

  /** log(1 + x); error below 1.5 ulp. */
  Slot log1p(Slot x) {
    Slot u = code.add(x, code.constant(1));
    Slot y = logOfNormal(u, code.constant(0));
    // What rounding 1 + x lost, relative to u, is the first-order correction of the logarithm.
    Slot lost =
        code.blend(
            code.sub(x, code.sub(u, code.constant(1))),
            code.sub(code.constant(1), code.sub(u, x)),
            code.compare(GT, x, code.constant(1)));
    y = code.add(y, code.div(lost, u));
    y = code.blend(y, x, code.compare(LT, code.abs(x), code.constant(0x1p-25f)));
    y = code.blend(y, x, code.compare(EQ, x, code.constant(Float.POSITIVE_INFINITY)));
    y =
        code.blend(
            y, code.constant(Float.NEGATIVE_INFINITY), code.compare(EQ, x, code.constant(-1)));
    y = code.blend(y, code.constant(Float.NaN), code.compare(LT, x, code.constant(-1)));
    return code.blend(y, x, code.isNaN(x));
  }

  /** Hyperbolic tangent by e^(2|x|) - 1; error below 2.5 ulp. */
  Slot tanh(Slot x) {
    Slot a = code.abs(x);
    a = code.blend(a, code.constant(10), code.compare(GT, a, code.constant(10)));
    Slot e = expm1Inside(code.add(a, a));
    return code.copySign(code.div(e, code.add(e, code.constant(2))), x);
  }

  /** 1 / (1 + e^-x), from e^-|x| so that nothing overflows; error below 2.5 ulp. */
  Slot sigmoid(Slot x) {
    Slot one = code.constant(1);
    Slot e = exp(code.neg(code.abs(x)));
    Slot above = code.blend(one, e, code.compare(LT, x, code.constant(0)));
    return code.div(above, code.add(one, e));
  }

  /** The error function; error below 1.1 ulp. */
  Slot erf(Slot x) {
    Slot a = code.abs(x);
    Slot square = code.mul(x, x);
    Slot small =
        code.fma(
            x,
            code.polynomial(
                square,
                0.12837915122509003f,
                -0.37612494826316833f,
                0.11281802505254745f,
                -0.02676556631922722f,
                0.00499098002910614f,
                -0.0005976893589831889f),
            x);
    // Beyond 0.92: 1 - e^(t p(t)), where p fits log(erfc(t))/t; erf(4) rounds to 1.
    Slot t = code.blend(a, code.constant(4), code.compare(GT, a, code.constant(4)));
    Slot p =
        code.polynomial(
            t,
            -1.1285165548324585f,
            -0.6357112526893616f,
            -0.10527053475379944f,
            0.022895146161317825f,
            -0.003216458484530449f,
            0.0002141547593055293f);
    Slot large = code.sub(code.constant(1), exp(code.mul(t, p)));
    return code.blend(small, code.copySign(large, x), code.compare(GT, a, code.constant(0.92f)));
  }

  /** The largest integer not above x; the sign of zero is kept. */
  Slot floor(Slot x) {
    Slot a = code.abs(x);
    Slot big = code.constant(0x1p23f);
    // Adding and subtracting 2^23 rounds to the nearest integer; every larger float is one.
    Slot nearest = code.copySign(code.sub(code.add(a, big), big), x);
    Slot down =
        code.blend(nearest, code.sub(nearest, code.constant(1)), code.compare(GT, nearest, x));
    return code.blend(x, down, code.compare(LT, a, big));
  }

  /** n = round(x / ln 2) and the rest x - n ln 2, for |x| below 2^21. */
  private Split reduce(Slot x) {
    Slot rounder = code.constant(ROUNDER);
    Slot shifted = code.fma(x, code.constant(LOG2_E), rounder);
    Slot n = code.sub(shifted, rounder);
    Slot rest = code.fma(n, code.constant(-LN2_HIGH), x);
    rest = code.fma(n, code.constant(-LN2_LOW), rest);
    Slot integer = code.addInt(code.bits(shifted), -Float.floatToRawIntBits(ROUNDER));
    return new Split(n, integer, rest);
  }

  private Slot powerOfTwo(Slot n) {
    return code.floats(code.shiftLeft(code.addInt(n, 127), 23));
  }

  /** x limited to [low, high]; NaN stays. */
  private Slot within(Slot x, float low, float high) {
    Slot y = code.blend(x, code.constant(low), code.compare(LT, x, code.constant(low)));
    return code.blend(y, code.constant(high), code.compare(GT, x, code.constant(high)));
  }
}
