package dev.vauban.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vauban.tensor.backend.reference.Reference;
import dev.vauban.tensor.golden.Runs;
import java.util.List;
import java.util.stream.Stream;

/** Rows of the table of operations on a device, against the reference. */
public final class BackendCheck {
  private static final long SEED = 7;

  private BackendCheck() {}

  /** The rows that also make sense with every F32 input of another type. */
  public static Stream<OpCase> accepting(DType type) {
    return OpCases.all()
        .filter(c -> c.inputs().stream().anyMatch(i -> i.type().dtype() == DType.F32))
        .filter(c -> {
          try {
            return program(c, type).outputs().get("y").dtype() != DType.F32 || isProduct(c);
          } catch (DTypeException refused) {
            return false;
          }
        });
  }

  /** Sums of products are F32 even if their operands are BF16. */
  private static boolean isProduct(OpCase c) {
    return ConvOp.class.isAssignableFrom(c.op()) || ContractOp.class.isAssignableFrom(c.op());
  }

  /** The row with every F32 input of another type. */
  public static Program program(OpCase c, DType type) {
    Tree<Type> types = c.types().map(t -> t.dtype() == DType.F32 ? t.with(type) : t);
    return Program.trace(types, in -> Tree.of("y", c.f().apply(in.leaves())));
  }

  /** Runs a row on a device, twice, and compares with the reference. */
  public static void check(Device device, OpCase c, DType type) {
    Program p = program(c, type);
    try (Scope scope = Scope.open();
        Plan plan = device.compile(p)) {
      Tree<Tensor> in = inputs(scope, p, c);
      double[] actual = plan.run(scope, in).get("y").toDoubles();
      double[] expected = Reference.evaluate(p.graph(), arrays(in)).getFirst();
      double unit =
          switch (type) {
            case F64 -> 0x1p-29; // as much better than F32
            case BF16 -> isProduct(c) ? 1 : 0x1p15 / c.ulps(); // rounded once, terms are not
            default -> 1;
          };
      boolean exact = !p.outputs().get("y").dtype().isFloat();
      Runs.assertClose(c.name(), actual, expected, exact ? 0 : c.tolerance() * unit);
      // Nothing may remain from the first run.
      double[] again = plan.run(scope, in).get("y").toDoubles();
      assertThat(again).isEqualTo(actual);
    }
  }

  private static Tree<Tensor> inputs(Scope scope, Program p, OpCase c) {
    List<double[]> values = c.values(SEED);
    int[] i = {0};
    return p.inputs().map(t -> scope.tensor(t).set(values.get(i[0]++)));
  }

  /** The inputs as the tensors hold them. */
  private static List<double[]> arrays(Tree<Tensor> in) {
    return in.leaves().stream().map(Tensor::toDoubles).toList();
  }

  /**
   * NaN, infinities and integers must be the reference's. Results below the smallest normal number
   * may be 0, those above the largest infinite.
   */
  public static void checkSpecial(Device device, OpCase c) {
    Program p = c.program();
    try (Scope scope = Scope.open();
        Plan plan = device.compile(p)) {
      Tree<Tensor> in = inputs(scope, p, c);
      double[] expected = Reference.evaluate(p.graph(), arrays(in)).getFirst();
      double[] actual = plan.run(scope, in).get("y").toDoubles();
      DType type = p.outputs().get("y").dtype();
      double scale = 0;
      for (double e : expected) {
        if (c.terms() > 1 && Float.isFinite((float) e)) {
          scale = Math.max(scale, Math.abs(e));
        }
      }
      for (int k = 0; k < expected.length; k++) {
        double e = type == DType.F32 ? (float) expected[k] : expected[k];
        double a = actual[k];
        boolean same =
            Double.isNaN(e)
                ? Double.isNaN(a)
                : a == e || (type.isFloat() && isClose(a, e, c, type, scale));
        if (!same) {
          throw new AssertionError(
              "%s: element %d is %s, not %s; inputs there %s"
                  .formatted(c, k, a, e, elements(in, k)));
        }
      }
    }
  }

  private static boolean isClose(double a, double e, OpCase c, DType type, double scale) {
    if (Double.isInfinite(e)) {
      return false;
    }
    if (type == DType.BF16) {
      boolean rounded = Math.abs(a - e) <= Math.abs(e) * 0x1p-8 + Float.MIN_NORMAL;
      return rounded || (Math.abs(e) > 0x1.FEp127 && a == Math.signum(e) / 0.0);
    }
    return Math.abs(a - e)
        <= c.ulps() * Math.ulp((float) e) + c.tolerance() * scale + Float.MIN_NORMAL;
  }

  private static List<Double> elements(Tree<Tensor> in, int k) {
    return in.leaves().stream().filter(t -> k < t.size()).map(t -> t.get(k)).toList();
  }
}
