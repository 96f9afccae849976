package dev.vauban.bench.gpu;

import dev.vauban.tensor.ContractOp;
import dev.vauban.tensor.ConvOp;
import dev.vauban.tensor.DType;
import dev.vauban.tensor.DTypeException;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Grad;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.OpCase;
import dev.vauban.tensor.OpCases;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.SpecialCases;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.golden.Runs;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Every row of the table of operations on a device against the reference in double precision, with
 * first and second gradients. Errors are relative to the largest element of a result.
 *
 * <ul>
 *   <li>f32: a row's own tolerance (8 units in the last place times the root of the terms), 16
 *       times as much for each derivative.
 *   <li>tf32, products only: 2^-9, four times as much for each derivative.
 *   <li>bf16 operands: 2^-8 where results are bf16 too; products of bf16 are summed in f32 and are
 *       held to the f32 tolerance.
 *   <li>special values: NaN where the reference has NaN, the same infinities; results below the
 *       smallest normal number may be 0.
 * </ul>
 */
final class OpChecks {
  private static final double TF32 = 0x1p-9;
  private static final double BF16 = 0x1p-8;

  private final Device device;
  private final long seed;
  private final Consumer<Finding> to;

  OpChecks(Device device, long seed, Consumer<Finding> to) {
    this.device = device;
    this.seed = seed;
    this.to = to;
  }

  /** Forward, in F32 and BF16 and on special values, and gradients. */
  void all(Rows rows) {
    rows.of(OpCases.all()).forEach(c -> check("op f32", c, forward(c, DType.F32), c.tolerance()));
    rows.of(OpCases.all())
        .filter(OpChecks::acceptsBf16)
        .forEach(
            c -> check("op bf16", c, forward(c, DType.BF16), isProduct(c) ? c.tolerance() : BF16));
    rows.of(SpecialCases.all()).forEach(this::special);
    gradients(rows, "f32", 1);
    gradients(rows, "f32", 2);
  }

  /** Products and their gradients, on a device that computes them in TF32. */
  void products(Rows rows) {
    rows.of(OpCases.all().filter(OpChecks::isProduct))
        .forEach(c -> check("op tf32", c, forward(c, DType.F32), TF32));
    gradients(rows, "tf32", 1);
    gradients(rows, "tf32", 2);
  }

  private void gradients(Rows rows, String precision, int order) {
    Stream<OpCase> smooth =
        OpCases.all()
            .filter(c -> c.smoothness() == OpCase.Smoothness.TWICE)
            .filter(c -> precision.equals("f32") || isProduct(c));
    rows.of(smooth)
        .forEach(c ->
            check(
                (order == 1 ? "gradient " : "second gradient ") + precision,
                c,
                gradient(c, order),
                precision.equals("f32")
                    ? c.tolerance() * Math.pow(16, order)
                    : TF32 * Math.pow(4, order)));
  }

  /** Which rows are looked at: all, or every n-th where time is short. */
  record Rows(int each) {
    Stream<OpCase> of(Stream<OpCase> all) {
      List<OpCase> list = all.toList();
      return Stream.iterate(0, i -> i < list.size(), i -> i + each).map(list::get);
    }
  }

  private static boolean isProduct(OpCase c) {
    return ConvOp.class.isAssignableFrom(c.op()) || ContractOp.class.isAssignableFrom(c.op());
  }

  private static boolean acceptsBf16(OpCase c) {
    if (c.inputs().stream().noneMatch(i -> i.type().dtype() == DType.F32)) {
      return false;
    }
    try {
      return forward(c, DType.BF16).outputs().get("y").dtype() != DType.F32 || isProduct(c);
    } catch (DTypeException refused) {
      return false;
    }
  }

  private static Program forward(OpCase c, DType type) {
    Tree<Type> types = c.types().map(t -> t.dtype() == DType.F32 ? t.with(type) : t);
    Tree<Type> inputs = Tree.<Type>empty().with("x", types);
    return Program.trace(inputs, in -> Tree.of("y", c.f().apply(in.sub("x").leaves())));
  }

  /** The gradient of sum f c, or the gradient of that gradient's squares. */
  private static Program gradient(OpCase c, int order) {
    Tree<Type> types = Tree.<Type>empty().with("x", c.types()).with("c", c.expected());
    return Program.trace(
        types,
        in ->
            order == 1
                ? first(c, in.sub("x"), in.get("c"))
                : Grad.grad(x -> squares(first(c, x, in.get("c"))), in.sub("x")));
  }

  private static Tree<Expr> first(OpCase c, Tree<Expr> at, Expr weights) {
    return Grad.grad(x -> c.f().apply(x.leaves()).mul(weights).sum(), at);
  }

  private static Expr squares(Tree<Expr> tree) {
    Expr sum = Expr.scalar(0);
    for (Expr e : tree.leaves()) {
      sum = e.dtype().isFloat() ? sum.add(e.square().sum()) : sum;
    }
    return sum;
  }

  /** Fresh values, rounded to what the program's inputs hold. */
  private Map<String, double[]> inputs(OpCase c, Program program) {
    Map<String, double[]> in = new LinkedHashMap<>();
    List<double[]> values = c.values(seed);
    for (int i = 0; i < values.size(); i++) {
      Type type = program.inputs().get("x/" + i);
      in.put("x/" + i, type.dtype() == DType.BF16 ? rounded(values.get(i)) : values.get(i));
    }
    if (program.inputs().has("c")) {
      int n = Math.toIntExact(c.expected().shape().size());
      in.put("c", OpCase.Domain.REAL.values(Key.of(seed).fold(1000), n));
    }
    return in;
  }

  private static double[] rounded(double[] values) {
    double[] out = new double[values.length];
    for (int i = 0; i < out.length; i++) {
      int bits = Float.floatToRawIntBits((float) values[i]);
      int nearest = (bits + 0x7FFF + (bits >>> 16 & 1)) & 0xFFFF0000;
      out[i] = Double.isNaN(values[i]) ? Double.NaN : Float.intBitsToFloat(nearest);
    }
    return out;
  }

  private void check(String group, OpCase c, Program program, double tolerance) {
    try {
      Map<String, double[]> in = inputs(c, program);
      Map<String, double[]> expected = Runs.reference(program, in);
      Map<String, double[]> actual = Poisoned.run(device, program, in);
      double worst = 0;
      for (String path : expected.keySet()) {
        double error = error(actual.get(path), expected.get(path));
        boolean exact = !program.outputs().get(path).dtype().isFloat();
        worst = Math.max(worst, exact && error > 0 ? Double.POSITIVE_INFINITY : error);
      }
      to.accept(Finding.of(group, c.name(), worst, tolerance));
    } catch (RuntimeException | LinkageError e) {
      to.accept(Finding.failed(group, c.name(), tolerance, e));
    }
  }

  /** The largest difference relative to the largest element; infinite where NaNs differ. */
  static double error(double[] actual, double[] expected) {
    double scale = 0;
    for (double e : expected) {
      scale = Double.isFinite(e) ? Math.max(scale, Math.abs(e)) : scale;
    }
    scale = scale < 1e-12 ? 1 : scale; // where everything should vanish, 1 is the scale
    double worst = 0;
    for (int i = 0; i < expected.length; i++) {
      double a = actual[i];
      double e = expected[i];
      boolean same = a == e || (Double.isNaN(a) && Double.isNaN(e));
      double d = Math.abs(a - e) / scale;
      worst = same ? worst : Math.max(worst, Double.isNaN(d) ? Double.POSITIVE_INFINITY : d);
    }
    return worst;
  }

  private void special(OpCase c) {
    try {
      Program program = forward(c, DType.F32);
      Map<String, double[]> in = inputs(c, program);
      double[] expected = Runs.reference(program, in).get("y");
      double[] actual = Poisoned.run(device, program, in).get("y");
      boolean real = program.outputs().get("y").dtype().isFloat();
      double scale = 0;
      for (double e : expected) {
        boolean counts = c.terms() > 1 && Float.isFinite((float) e);
        scale = counts ? Math.max(scale, Math.abs(e)) : scale;
      }
      int wrong = 0;
      for (int i = 0; i < expected.length; i++) {
        double e = real ? (float) expected[i] : expected[i];
        wrong += same(actual[i], e, c, real, scale) ? 0 : 1;
      }
      to.accept(Finding.of("op on special values", c.name(), wrong, 0));
    } catch (RuntimeException | LinkageError e) {
      to.accept(Finding.failed("op on special values", c.name(), 0, e));
    }
  }

  private static boolean same(double a, double e, OpCase c, boolean real, double scale) {
    if (Double.isNaN(e)) {
      return Double.isNaN(a);
    }
    double allowed = c.ulps() * Math.ulp((float) e) + c.tolerance() * scale + Float.MIN_NORMAL;
    return a == e || (real && !Double.isInfinite(e) && Math.abs(a - e) <= allowed);
  }
}
