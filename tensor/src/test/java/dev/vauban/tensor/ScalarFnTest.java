package dev.vauban.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vauban.tensor.backend.reference.Reference;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The definitions of the scalar functions at special values, and their gradients at ties. */
class ScalarFnTest {
  private static final double INF = Double.POSITIVE_INFINITY;
  private static final double NAN = Double.NaN;

  /** Function, arguments and result; signs of zero count. */
  private record Row(ScalarFn fn, double expected, double... args) {}

  private static Row row(ScalarFn fn, double expected, double... args) {
    return new Row(fn, expected, args);
  }

  private static Stream<Row> rows() {
    return Stream.of(
        row(ScalarFn.NEG, -0.0, 0.0),
        row(ScalarFn.NEG, NAN, NAN),
        row(ScalarFn.NEG, -INF, INF),
        row(ScalarFn.ABS, 0.0, -0.0),
        row(ScalarFn.ABS, INF, -INF),
        row(ScalarFn.ABS, NAN, NAN),
        row(ScalarFn.SIGN, 0.0, 0.0),
        row(ScalarFn.SIGN, -0.0, -0.0),
        row(ScalarFn.SIGN, -1, -1e-300),
        row(ScalarFn.SIGN, NAN, NAN),
        row(ScalarFn.FLOOR, -3, -2.5),
        row(ScalarFn.FLOOR, -0.0, -0.0),
        row(ScalarFn.FLOOR, INF, INF),
        row(ScalarFn.EXP, 1, 0),
        row(ScalarFn.EXP, 0, -1000),
        row(ScalarFn.EXP, INF, 1000),
        row(ScalarFn.EXP, 0, -INF),
        row(ScalarFn.EXPM1, 0.0, 0.0),
        row(ScalarFn.EXPM1, -1, -1000),
        row(ScalarFn.EXPM1, 1e-20, 1e-20),
        row(ScalarFn.LOG, -INF, 0.0),
        row(ScalarFn.LOG, NAN, -1),
        row(ScalarFn.LOG, INF, INF),
        row(ScalarFn.LOG1P, 1e-20, 1e-20),
        row(ScalarFn.LOG1P, -INF, -1),
        row(ScalarFn.SIN, -0.0, -0.0),
        row(ScalarFn.SIN, NAN, INF),
        row(ScalarFn.COS, 1, 0),
        row(ScalarFn.COS, NAN, -INF),
        row(ScalarFn.TANH, 1, 1000),
        row(ScalarFn.TANH, -1, -INF),
        row(ScalarFn.TANH, -0.0, -0.0),
        row(ScalarFn.SIGMOID, 0.5, 0),
        row(ScalarFn.SIGMOID, 0, -1000),
        row(ScalarFn.SIGMOID, 1, INF),
        row(ScalarFn.ERF, 0.0, 0.0),
        row(ScalarFn.ERF, 1, 1000),
        row(ScalarFn.ERF, -1, -INF),
        row(ScalarFn.ERF, NAN, NAN),
        row(ScalarFn.SQRT, -0.0, -0.0),
        row(ScalarFn.SQRT, NAN, -1),
        row(ScalarFn.SQRT, INF, INF),
        row(ScalarFn.RSQRT, INF, 0.0),
        row(ScalarFn.RSQRT, 0, INF),
        row(ScalarFn.RSQRT, 0.5, 4),
        row(ScalarFn.RECIPROCAL, -INF, -0.0),
        row(ScalarFn.RECIPROCAL, 0, INF),
        row(ScalarFn.RELU, 0, -1000),
        row(ScalarFn.RELU, NAN, NAN),
        row(ScalarFn.RELU, INF, INF),
        row(ScalarFn.ADD, NAN, INF, -INF),
        row(ScalarFn.SUB, NAN, INF, INF),
        row(ScalarFn.MUL, NAN, 0, INF),
        row(ScalarFn.DIV, INF, 1, 0.0),
        row(ScalarFn.DIV, NAN, 0, 0),
        row(ScalarFn.POW, 1, 0, 0),
        row(ScalarFn.POW, 1, NAN, 0),
        row(ScalarFn.POW, NAN, -2, 0.5),
        row(ScalarFn.POW, -8, -2, 3),
        row(ScalarFn.MIN, NAN, NAN, 1),
        row(ScalarFn.MIN, NAN, 1, NAN),
        row(ScalarFn.MIN, -0.0, 0.0, -0.0),
        row(ScalarFn.MAX, NAN, NAN, 1),
        row(ScalarFn.MAX, 0.0, -0.0, 0.0),
        row(ScalarFn.MAX, INF, INF, 5),
        row(ScalarFn.LT, 0, NAN, 1),
        row(ScalarFn.LT, 0, 0.0, -0.0),
        row(ScalarFn.LT, 1, -INF, INF),
        row(ScalarFn.LE, 0, NAN, NAN),
        row(ScalarFn.LE, 1, 0.0, -0.0),
        row(ScalarFn.EQ, 0, NAN, NAN),
        row(ScalarFn.EQ, 1, 0.0, -0.0),
        row(ScalarFn.NE, 1, NAN, NAN),
        row(ScalarFn.NE, 0, INF, INF),
        row(ScalarFn.SELECT, 2, NAN, 2, 3),
        row(ScalarFn.SELECT, 3, -0.0, 2, 3),
        row(ScalarFn.SELECT, 2, -1, 2, NAN),
        row(ScalarFn.CLAMP, NAN, NAN, 0, 1),
        row(ScalarFn.CLAMP, 1, INF, 0, 1),
        row(ScalarFn.CLAMP, 0, -INF, 0, 1),
        row(ScalarFn.CLAMP, 0.5, 0.5, 0, 1));
  }

  @ParameterizedTest
  @MethodSource("rows")
  void specialValue(Row r) {
    double[] a = Arrays.copyOf(r.args, 3);
    double actual = r.fn.apply(a[0], a[1], a[2]);
    assertThat(Double.doubleToLongBits(actual))
        .as(r.fn + " of " + Arrays.toString(r.args) + " is " + actual + ", not " + r.expected)
        .isEqualTo(Double.doubleToLongBits(r.expected));
  }

  @Test
  void everyFunctionHasSpecialValues() {
    Set<ScalarFn> covered = new TreeSet<>();
    rows().forEach(r -> covered.add(r.fn));
    assertThat(covered).containsExactly(ScalarFn.values());
  }

  /** Published to 16 digits (Abramowitz and Stegun, table 7.1, and beyond it). */
  @ParameterizedTest
  @CsvSource({
    "0.1, 0.1124629160182849",
    "0.5, 0.5204998778130465",
    "1.0, 0.8427007929497149",
    "1.5, 0.9661051464753108",
    "2.0, 0.9953222650189527",
    "3.5, 0.9999992569016276"
  })
  void erf(double x, double expected) {
    assertThat(ScalarFn.ERF.apply(x, 0, 0)).isCloseTo(expected, within(2e-15));
    assertThat(ScalarFn.ERF.apply(-x, 0, 0)).isCloseTo(-expected, within(2e-15));
  }

  private static org.assertj.core.data.Offset<Double> within(double e) {
    return org.assertj.core.data.Offset.offset(e);
  }

  /** The gradient of sum f at a point. */
  private static double[] gradient(java.util.function.UnaryOperator<Expr> f, double... point) {
    Expr p = Expr.parameter(1, "x", Type.f32(point.length));
    Expr g = Grad.grad(x -> f.apply(x).sum(), p);
    return Reference.evaluate(new Graph(List.of(p), List.of(g)), List.of(point)).getFirst();
  }

  @Test
  void gradientsAtKinks() {
    assertThat(gradient(Expr::relu, -1, 0, 1)).containsExactly(0, 0, 1);
    assertThat(gradient(Expr::abs, -1, 0, 1)).containsExactly(-1, 0, 1);
    assertThat(gradient(x -> x.max(0), -1, 0, 1)).containsExactly(0, 0.5, 1);
    assertThat(gradient(x -> x.min(0), -1, 0, 1)).containsExactly(1, 0.5, 0);
    assertThat(gradient(x -> x.clamp(0, 1), -1, 0, 0.5, 1, 2)).containsExactly(0, 1, 1, 1, 0);
    assertThat(gradient(Expr::sign, -1, 0, 1)).containsExactly(0, 0, 0);
    assertThat(gradient(Expr::floor, -1, 0.5, 1)).containsExactly(0, 0, 0);
  }

  @Test
  void aMaximumSharesItsGradientAmongTies() {
    assertThat(gradient(x -> x.maxOver(0), 1, 3, 3, 2)).containsExactly(0, 0.5, 0.5, 0);
    assertThat(gradient(x -> x.minOver(0), 1, 3, 1, 1))
        .containsExactly(1.0 / 3, 0, 1.0 / 3, 1.0 / 3);
  }

  @Test
  void thePowerOfZeroHasFiniteGradients() {
    assertThat(gradient(x -> x.pow(3), -2, 0, 2)).containsExactly(12, 0, 12);
    assertThat(gradient(x -> Expr.fill(x.type(), 0).pow(x), 1, 2)).containsExactly(0, 0);
  }
}
