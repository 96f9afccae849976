package dev.vauban.tensor.backend.cpu;

import dev.vauban.tensor.Device;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Grad;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.OpCase;
import dev.vauban.tensor.OpCases;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.golden.Runs;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * The first and second gradients of every row of the table of operations, on the CPU against the
 * reference: with oneDNN where there is one on two workers, and with the Java kernels on one.
 */
class CpuGradientTest {
  private static final Map<String, CpuDevice> DEVICES = new LinkedHashMap<>();

  static {
    DEVICES.put("best kernels, 2 workers", CpuDevice.open(2, CpuDevice.Kernels.BEST));
    DEVICES.put("java kernels", CpuDevice.open(1, CpuDevice.Kernels.JAVA));
  }

  @AfterAll
  static void close() {
    DEVICES.values().forEach(Device::close);
  }

  @TestFactory
  Stream<DynamicNode> firstGradients() {
    return onEveryDevice(smooth(), 1);
  }

  @TestFactory
  Stream<DynamicNode> secondGradients() {
    return onEveryDevice(smooth(), 2);
  }

  private static Stream<OpCase> smooth() {
    return OpCases.all().filter(c -> c.smoothness() == OpCase.Smoothness.TWICE);
  }

  private static Stream<DynamicNode> onEveryDevice(Stream<OpCase> rows, int order) {
    List<OpCase> all = rows.toList();
    return DEVICES.entrySet().stream()
        .map(d ->
            DynamicContainer.dynamicContainer(
                d.getKey(),
                all.stream()
                    .map(c ->
                        DynamicTest.dynamicTest(c.name(), () -> compare(c, order, d.getValue())))));
  }

  private static void compare(OpCase c, int order, Device device) {
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
  private static Program program(OpCase c, int order) {
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
