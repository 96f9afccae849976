package dev.vauban.tensor;

import dev.vauban.tensor.golden.Runs;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** First and second gradients of the table of operations on a device, against the reference. */
public final class GradientCheck {
  private GradientCheck() {}

  /** The rows with gradients. */
  public static Stream<OpCase> smooth() {
    return OpCases.all().filter(c -> c.smoothness() == OpCase.Smoothness.TWICE);
  }

  /** Compares a row's gradient of an order, 1 or 2, on a device with the reference. */
  public static void compare(OpCase c, int order, Device device) {
    Program p = program(c, order);
    Map<String, double[]> in = inputs(c);
    Map<String, double[]> expected = Runs.reference(p, in);
    Map<String, double[]> actual = Runs.device(device, p, in);
    // Each derivative multiplies and sums once more than the one before.
    double tolerance = c.tolerance() * Math.pow(16, order);
    expected.forEach((path, e) -> Runs.assertClose(c + " " + path, actual.get(path), e, tolerance));
  }

  private static Map<String, double[]> inputs(OpCase c) {
    Map<String, double[]> in = new LinkedHashMap<>();
    List<double[]> values = c.values(7);
    for (int i = 0; i < values.size(); i++) {
      in.put("x/" + i, values.get(i));
    }
    int n = (int) c.expected().shape().size();
    in.put("c", OpCase.Domain.REAL.values(Key.of(3), n));
    return in;
  }

  /** The gradient of sum f c, or the gradient of that gradient's squares. */
  public static Program program(OpCase c, int order) {
    Tree<Type> types = Tree.<Type>empty().with("x", c.types()).with("c", c.expected());
    return Program.trace(
        types,
        in ->
            switch (order) {
              case 1 -> gradient(c, in.sub("x"), in.get("c"));
              default -> Grad.grad(x -> squares(gradient(c, x, in.get("c"))), in.sub("x"));
            });
  }

  private static Tree<Expr> gradient(OpCase c, Tree<Expr> at, Expr weights) {
    return Grad.grad(x -> c.f().apply(x.leaves()).mul(weights).sum(), at);
  }

  private static Expr squares(Tree<Expr> tree) {
    Expr sum = Expr.scalar(0);
    for (Expr e : tree.leaves()) {
      sum = e.dtype().isFloat() ? sum.add(e.square().sum()) : sum;
    }
    return sum;
  }
}
