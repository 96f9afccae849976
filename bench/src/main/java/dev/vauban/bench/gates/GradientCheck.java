package dev.vauban.bench.gates;

import static dev.vauban.nn.Layers.conv;
import static dev.vauban.nn.Layers.flatten;
import static dev.vauban.nn.Layers.linear;
import static dev.vauban.nn.Layers.sequential;
import static dev.vauban.nn.Layers.tanh;

import dev.vauban.meta.Maml;
import dev.vauban.meta.Order;
import dev.vauban.meta.Task;
import dev.vauban.nn.Loss;
import dev.vauban.nn.Losses;
import dev.vauban.nn.Model;
import dev.vauban.tensor.DType;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Grad;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * Gradients of MAML against central finite differences, in double precision, for a small network
 * without kinks (convolution, tanh, linear). Each figure is the largest difference of a component,
 * relative to the largest component.
 *
 * @param inner the gradient of the support loss
 * @param secondOrder the meta-gradient, against differences of the whole meta-loss
 * @param firstOrder the first-order meta-gradient, against differences of the query loss at the
 *     adapted weights
 * @param orders how far first and second order are apart: must not be small, or the comparison
 *     would say nothing
 */
public record GradientCheck(double inner, double secondOrder, double firstOrder, double orders) {
  private static final double STEP = 1e-5;
  private static final int WAYS = 3;
  private static final int SUPPORT = 6;
  private static final int QUERY = 9;
  private static final double RATE = 0.4;
  private static final int INNER_STEPS = 3;
  private static final Shape IMAGE = Shape.of(6, 6, 1);

  /** Checks on the double-precision reference device. */
  public static GradientCheck run() {
    Model model =
        new Model("smooth", IMAGE, sequential(conv(4, 3, 2, 1), tanh(), flatten()), linear(WAYS));
    Loss loss = (w, b) -> Losses.crossEntropy(model.logits(w, b.x()), b.y()).mean();
    Maml second = new Maml(loss, loss, INNER_STEPS, RATE, Order.SECOND);
    Maml first = new Maml(loss, loss, INNER_STEPS, RATE, Order.FIRST);
    Tree<Type> types = model.types().map(t -> new Type(DType.F64, t.shape()));
    try (Device device = Device.open("reference");
        Scope scope = Scope.open()) {
      Tree<Tensor> theta = doubles(model.init(scope, Key.of(1)), types, scope);
      Tree<Tensor> fast = run(device, scope, types, theta, w -> first.adapt(w, task().support()));

      double[] inner =
          flat(
              run(
                  device,
                  scope,
                  types,
                  theta,
                  w -> Grad.grad(v -> loss.of(v, task().support()), w)));
      double[] innerDifferences =
          differences(device, scope, types, theta, w -> loss.of(w, task().support()));
      double[] meta =
          flat(
              run(device, scope, types, theta, w -> Grad.grad(v -> second.taskLoss(v, task()), w)));
      double[] metaDifferences =
          differences(device, scope, types, theta, w -> second.taskLoss(w, task()));
      double[] firstMeta =
          flat(run(device, scope, types, theta, w -> Grad.grad(v -> first.taskLoss(v, task()), w)));
      double[] atFast = differences(device, scope, types, fast, w -> loss.of(w, task().query()));
      return new GradientCheck(
          error(inner, innerDifferences),
          error(meta, metaDifferences),
          error(firstMeta, atFast),
          error(firstMeta, meta));
    }
  }

  /** One task of constants: smooth random images, labels in turn. */
  private static Task<Expr> task() {
    Tree<Expr> tree =
        Tree.<Expr>empty()
            .with("support", batch(SUPPORT, Key.of(2)))
            .with("query", batch(QUERY, Key.of(3)));
    return Task.of(tree);
  }

  private static Tree<Expr> batch(int n, Key key) {
    double[] pixels = new double[n * (int) IMAGE.size()];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = key.uniform(i);
    }
    double[] labels = IntStream.range(0, n).mapToDouble(i -> i % WAYS).toArray();
    Type images = new Type(DType.F64, Shape.of(n, IMAGE.dim(0), IMAGE.dim(1), IMAGE.dim(2)));
    return Tree.of("x", Expr.data(images, pixels), "y", Expr.data(Type.i32(n), labels));
  }

  private static Tree<Tensor> doubles(Tree<Tensor> floats, Tree<Type> types, Scope scope) {
    Map<String, Type> wanted = types.paths();
    return floats.mapPaths((path, t) -> scope.tensor(wanted.get(path)).set(t.toDoubles()));
  }

  private static Tree<Tensor> run(
      Device device,
      Scope scope,
      Tree<Type> types,
      Tree<Tensor> at,
      Function<Tree<Expr>, Tree<Expr>> f) {
    try (Plan plan = device.compile(Program.trace(types, f))) {
      return plan.run(scope, at);
    }
  }

  private static double[] flat(Tree<Tensor> tree) {
    return tree.leaves().stream()
        .flatMapToDouble(t -> java.util.Arrays.stream(t.toDoubles()))
        .toArray();
  }

  private static double[] differences(
      Device device, Scope scope, Tree<Type> types, Tree<Tensor> at, Function<Tree<Expr>, Expr> f) {
    double[] out = new double[flat(at).length];
    try (Plan plan = device.compile(Program.trace(types, w -> Tree.leaf(f.apply(w))))) {
      Tree<Tensor> value = scope.tensors(plan.program().outputs());
      Plan.Bound bound = plan.bind(at, value);
      int k = 0;
      for (Tensor t : at.leaves()) {
        for (long i = 0; i < t.size(); i++) {
          double x = t.get(i);
          t.set(i, x + STEP);
          bound.run();
          double above = value.value().get(0);
          t.set(i, x - STEP);
          bound.run();
          out[k++] = (above - value.value().get(0)) / (2 * STEP);
          t.set(i, x);
        }
      }
    }
    return out;
  }

  private static double error(double[] a, double[] b) {
    double most = 0;
    double largest = 0;
    for (int i = 0; i < a.length; i++) {
      most = Math.max(most, Math.abs(a[i] - b[i]));
      largest = Math.max(largest, Math.abs(b[i]));
    }
    return most / largest;
  }
}
