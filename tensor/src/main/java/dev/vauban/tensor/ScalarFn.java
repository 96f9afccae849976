package dev.vauban.tensor;

/**
 * The scalar functions of {@link ElementOp.Pointwise}. Each constant gives its definition in double
 * precision (the specification every backend is tested against) and its partial derivatives as
 * expressions, so that gradients can be differentiated again.
 *
 * <p>Comparisons give 1 or 0 in the operands' own type. {@code SELECT(mask, a, b)} is a where mask
 * is not 0.
 */
public enum ScalarFn {
  NEG(1, (a, b, c) -> -a, (x, y, ct) -> ct.neg()),
  ABS(1, (a, b, c) -> Math.abs(a), (x, y, ct) -> ct.mul(x[0].sign())),
  /** -1, 0 or 1; its gradient is 0. */
  SIGN(1, (a, b, c) -> Math.signum(a), ScalarFn::zero),
  FLOOR(1, (a, b, c) -> Math.floor(a), ScalarFn::zero),
  EXP(1, (a, b, c) -> Math.exp(a), (x, y, ct) -> ct.mul(y)),
  EXPM1(1, (a, b, c) -> Math.expm1(a), (x, y, ct) -> ct.mul(y.add(1))),
  LOG(1, (a, b, c) -> Math.log(a), (x, y, ct) -> ct.div(x[0])),
  LOG1P(1, (a, b, c) -> Math.log1p(a), (x, y, ct) -> ct.div(x[0].add(1))),
  SIN(1, (a, b, c) -> Math.sin(a), (x, y, ct) -> ct.mul(x[0].cos())),
  COS(1, (a, b, c) -> Math.cos(a), (x, y, ct) -> ct.mul(x[0].sin()).neg()),
  TANH(1, (a, b, c) -> Math.tanh(a), (x, y, ct) -> ct.mul(y.mul(y).rsub(1))),
  SIGMOID(1, (a, b, c) -> 1 / (1 + Math.exp(-a)), (x, y, ct) -> ct.mul(y.mul(y.rsub(1)))),
  ERF(
      1,
      (a, b, c) -> Erf.erf(a),
      (x, y, ct) -> ct.mul(x[0].mul(x[0]).neg().exp().mul(2 / Math.sqrt(Math.PI)))),
  SQRT(1, (a, b, c) -> Math.sqrt(a), (x, y, ct) -> ct.mul(0.5).div(y)),
  RSQRT(1, (a, b, c) -> 1 / Math.sqrt(a), (x, y, ct) -> ct.mul(y.mul(y).mul(y).mul(-0.5))),
  RECIPROCAL(1, (a, b, c) -> 1 / a, (x, y, ct) -> ct.mul(y.mul(y)).neg()),
  /** max(x, 0) with derivative 0 at 0. */
  RELU(1, (a, b, c) -> Math.max(a, 0), (x, y, ct) -> ct.mul(y.gt(0))),

  ADD(2, (a, b, c) -> a + b, (x, y, ct) -> ct, (x, y, ct) -> ct),
  SUB(2, (a, b, c) -> a - b, (x, y, ct) -> ct, (x, y, ct) -> ct.neg()),
  MUL(2, (a, b, c) -> a * b, (x, y, ct) -> ct.mul(x[1]), (x, y, ct) -> ct.mul(x[0])),
  DIV(2, (a, b, c) -> a / b, (x, y, ct) -> ct.div(x[1]), (x, y, ct) -> ct.mul(y).div(x[1]).neg()),
  /** a to the power b; the derivative in b is taken as 0 where a is not positive. */
  POW(
      2,
      (a, b, c) -> Math.pow(a, b),
      (x, y, ct) -> ct.mul(x[1].mul(x[0].pow(x[1].sub(1)))),
      (x, y, ct) ->
          // The floor is a normal F32: its reciprocal, which the second derivative meets, is
          // finite.
          ct.mul(Expr.select(x[0].gt(0), y.mul(x[0].max(Float.MIN_NORMAL).log()), y.zeros()))),
  /** The smaller; NaN if either is NaN. At a tie each argument receives half the gradient. */
  MIN(
      2,
      (a, b, c) -> Math.min(a, b),
      (x, y, ct) -> ct.mul(share(x[0], x[1])),
      (x, y, ct) -> ct.mul(share(x[1], x[0]))),
  /** The larger; NaN if either is NaN. At a tie each argument receives half the gradient. */
  MAX(
      2,
      (a, b, c) -> Math.max(a, b),
      (x, y, ct) -> ct.mul(share(x[1], x[0])),
      (x, y, ct) -> ct.mul(share(x[0], x[1]))),
  LT(2, (a, b, c) -> a < b ? 1 : 0, ScalarFn::zero, ScalarFn::zero),
  LE(2, (a, b, c) -> a <= b ? 1 : 0, ScalarFn::zero, ScalarFn::zero),
  EQ(2, (a, b, c) -> a == b ? 1 : 0, ScalarFn::zero, ScalarFn::zero),
  NE(2, (a, b, c) -> a != b ? 1 : 0, ScalarFn::zero, ScalarFn::zero),

  /** select(mask, a, b): a where mask is not 0, else b. */
  SELECT(
      3,
      (a, b, c) -> a != 0 ? b : c,
      ScalarFn::zero,
      (x, y, ct) -> Expr.select(x[0], ct, ct.zeros()),
      (x, y, ct) -> Expr.select(x[0], ct.zeros(), ct)),
  /** clamp(x, lo, hi): x limited to [lo, hi]; the bounds themselves pass the gradient to x. */
  CLAMP(
      3,
      (a, b, c) -> Math.min(Math.max(a, b), c),
      (x, y, ct) -> ct.mul(x[1].le(x[0]).mul(x[0].le(x[2]))),
      (x, y, ct) -> ct.mul(x[0].lt(x[1])),
      (x, y, ct) -> ct.mul(x[2].lt(x[0])));

  /** The function in double precision; arguments beyond the arity are ignored. */
  interface Definition {
    double apply(double a, double b, double c);
  }

  /** The cotangent of one argument, given all arguments, the result and its cotangent. */
  interface Partial {
    Expr of(Expr[] x, Expr y, Expr ct);
  }

  private final int arity;
  private final Definition definition;
  private final Partial[] partials;

  ScalarFn(int arity, Definition definition, Partial... partials) {
    this.arity = arity;
    this.definition = definition;
    this.partials = partials;
  }

  /** Number of arguments, 1 to 3. */
  public int arity() {
    return arity;
  }

  /** The value in double precision; arguments beyond the arity are ignored. */
  public double apply(double a, double b, double c) {
    return definition.apply(a, b, c);
  }

  /** The cotangent of argument {@code i}, or null where it is zero everywhere. */
  Expr cotangent(int i, Expr[] x, Expr y, Expr ct) {
    return partials[i].of(x, y, ct);
  }

  /** True for LT, LE, EQ and NE. */
  public boolean isComparison() {
    return this == LT || this == LE || this == EQ || this == NE;
  }

  /** True if the function is also defined on {@code I32}. */
  public boolean onIntegers() {
    return switch (this) {
      case NEG, ABS, SIGN, ADD, SUB, MUL, MIN, MAX, LT, LE, EQ, NE, SELECT, CLAMP, RELU -> true;
      default -> false;
    };
  }

  private static Expr zero(Expr[] x, Expr y, Expr ct) {
    return null;
  }

  /** 1 where a &lt; b, 1/2 where they are equal, else 0. */
  private static Expr share(Expr a, Expr b) {
    return a.lt(b).add(a.eq(b).mul(0.5));
  }
}
