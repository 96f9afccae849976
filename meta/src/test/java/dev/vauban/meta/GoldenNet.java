package dev.vauban.meta;

import dev.vauban.adversarial.Attack;
import dev.vauban.nn.Loss;
import dev.vauban.nn.Losses;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.PoolOp.PoolWindow;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.Window;
import dev.vauban.tensor.backend.reference.Reference;
import dev.vauban.tensor.golden.GoldenCase;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/**
 * The network and the tasks of the case meta/setup: blocks of convolution, batch norm, ReLU and
 * pooling, then a linear layer, in the sizes that the case has.
 */
final class GoldenNet {
  final GoldenCase setup = GoldenCase.of("meta/setup");
  final double rate = setup.attr("inner_lr");
  final int steps = setup.count("inner_steps");
  final int tasks = setup.count("tasks");
  final Map<String, Type> leaves = setup.weightTypes("theta.");
  final Loss loss = (w, b) -> Losses.crossEntropy(logits(w, b.x()), b.y()).mean();
  private final double eps = setup.attrIn("net", "eps ");
  private final int blocks = (int) leaves.keySet().stream().filter(l -> isKernel(l)).count();
  private final int[] features = features();

  private static boolean isKernel(String leaf) {
    return leaf.matches("c\\d+/w");
  }

  /** Channels, height and width of what the last block gives. */
  private int[] features() {
    int[] x = setup.shape("xs"); // [tasks, images, channels, height, width]
    int channels = leaves.get("c" + (blocks - 1) + "/w").shape().dim(-1);
    return new int[] {channels, x[3] >> blocks, x[4] >> blocks};
  }

  Expr logits(Tree<Expr> w, Expr x) {
    Expr h = x;
    for (int i = 0; i < blocks; i++) {
      h = block(w, h, i);
    }
    return h.reshape(x.shape().dim(0), -1).matmul(w.get("head/w")).add(w.get("head/b"));
  }

  private Expr block(Tree<Expr> w, Expr x, int i) {
    Expr kernel = w.get("c" + i + "/w");
    Window same = Window.of(1, kernel.shape().dim(0) / 2);
    Expr h = x.convolve(kernel, same, 1).add(w.get("c" + i + "/b"));
    Expr centred = h.sub(h.mean(0, 1, 2).keep(h.shape(), 0, 1, 2));
    Expr scale = h.variance(0, 1, 2).add(eps).rsqrt().mul(w.get("n" + i + "/w"));
    return centred.mul(scale).add(w.get("n" + i + "/b")).relu().maxPool(PoolWindow.square(2));
  }

  /** FGSM without clipping, as the reference case has it. */
  static Attack unclippedFgsm(double eps) {
    return (loss, x, key) -> x.add(Attack.ascent(loss, x).sign().mul(eps)).stopGradient();
  }

  private Tree<Type> batch(String images, String labels) {
    int[] x = setup.shape(images);
    return Tree.of(
        "x", Type.f32(x[0], x[1], x[3], x[4], x[2]),
        "y", Type.i32(tasks, setup.shape(labels)[0]));
  }

  /** Types of {theta, tasks} with tasks as {@link Task#of} reads them. */
  Tree<Type> types() {
    return Tree.<Type>empty()
        .with("theta", Tree.ofPaths(leaves))
        .with(
            "tasks",
            Tree.<Type>empty()
                .with("support", batch("xs", "ys"))
                .with("query", batch("xq", "yq"))
                .with("key", Type.i32(tasks, 2)));
  }

  static Task<Expr> task(Tree<Expr> tasks, int t) {
    return Task.of(tasks.map(e -> e.slice(0, t, t + 1).reshape(e.shape().without(0))));
  }

  /** The results of {@code f} of {theta, tasks} by path, in double. */
  Map<String, double[]> run(Function<Tree<Expr>, Tree<Expr>> f) {
    Program p = Program.trace(types(), f);
    List<double[]> args = new ArrayList<>();
    leaves.keySet().forEach(l -> args.add(weight(setup, "theta." + l)));
    args.add(setup.images("xs"));
    args.add(ofEachTask(setup.get("ys")));
    args.add(setup.images("xq"));
    args.add(ofEachTask(setup.get("yq")));
    args.add(IntStream.range(0, 2 * tasks).asDoubleStream().toArray()); // no attack draws from it
    List<double[]> out = Reference.evaluate(p.graph(), args);
    Map<String, double[]> byPath = new LinkedHashMap<>();
    List<String> paths = List.copyOf(p.outputs().paths().keySet());
    for (int i = 0; i < paths.size(); i++) {
      byPath.put(paths.get(i), out.get(i));
    }
    return byPath;
  }

  /** A weight of a case in this library's layout; {@code leaf} with slashes. */
  double[] weight(GoldenCase g, String leaf) {
    return g.weight(leaf.replace('/', '.'), features);
  }

  private double[] ofEachTask(double[] y) {
    return IntStream.range(0, tasks).boxed().flatMapToDouble(t -> DoubleStream.of(y)).toArray();
  }
}
