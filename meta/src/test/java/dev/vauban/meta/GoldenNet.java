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

/** The network and the two tasks of the case meta/setup. */
final class GoldenNet {
  static final double RATE = 0.1;
  static final int STEPS = 3;
  static final Map<String, Type> LEAVES = leaves();
  static final Loss LOSS = (w, b) -> Losses.crossEntropy(logits(w, b.x()), b.y()).mean();

  final GoldenCase setup = GoldenCase.of("meta/setup");

  private static Map<String, Type> leaves() {
    Map<String, Type> t = new LinkedHashMap<>();
    for (int i = 0; i < 2; i++) {
      t.put("c" + i + "/w", Type.f32(3, 3, i == 0 ? 1 : 6, 6));
      t.put("c" + i + "/b", Type.f32(6));
      t.put("n" + i + "/w", Type.f32(6));
      t.put("n" + i + "/b", Type.f32(6));
    }
    t.put("head/w", Type.f32(54, 5));
    t.put("head/b", Type.f32(5));
    return t;
  }

  static Expr logits(Tree<Expr> w, Expr x) {
    Expr h = block(w, block(w, x, 0), 1);
    return h.reshape(x.shape().dim(0), 54).matmul(w.get("head/w")).add(w.get("head/b"));
  }

  private static Expr block(Tree<Expr> w, Expr x, int i) {
    Expr h = x.convolve(w.get("c" + i + "/w"), Window.of(1, 1), 1).add(w.get("c" + i + "/b"));
    Expr centred = h.sub(h.mean(0, 1, 2).keep(h.shape(), 0, 1, 2));
    Expr scale = h.variance(0, 1, 2).add(1e-5).rsqrt().mul(w.get("n" + i + "/w"));
    return centred.mul(scale).add(w.get("n" + i + "/b")).relu().maxPool(PoolWindow.square(2));
  }

  /** FGSM without clipping, as the reference case has it. */
  static Attack unclippedFgsm(double eps) {
    return (loss, x, key) -> x.add(Attack.ascent(loss, x).sign().mul(eps)).stopGradient();
  }

  /** Types of {theta, tasks} with tasks as {@link Task#of} reads them. */
  static Tree<Type> types() {
    return Tree.<Type>empty()
        .with("theta", Tree.ofPaths(LEAVES))
        .with(
            "tasks",
            Tree.<Type>empty()
                .with("support", Tree.of("x", Type.f32(2, 10, 12, 12, 1), "y", Type.i32(2, 10)))
                .with("query", Tree.of("x", Type.f32(2, 15, 12, 12, 1), "y", Type.i32(2, 15)))
                .with("key", Type.i32(2, 2)));
  }

  static Task<Expr> task(Tree<Expr> tasks, int t) {
    return Task.of(tasks.map(e -> e.slice(0, t, t + 1).reshape(e.shape().without(0))));
  }

  /** The results of {@code f} of {theta, tasks} by path, in double. */
  Map<String, double[]> run(Function<Tree<Expr>, Tree<Expr>> f) {
    Program p = Program.trace(types(), f);
    List<double[]> args = new ArrayList<>();
    LEAVES.keySet().forEach(l -> args.add(weight(setup, "theta." + l)));
    args.add(setup.images("xs"));
    args.add(twice(setup.get("ys")));
    args.add(setup.images("xq"));
    args.add(twice(setup.get("yq")));
    args.add(new double[] {1, 2, 3, 4});
    List<double[]> out = Reference.evaluate(p.graph(), args);
    Map<String, double[]> byPath = new LinkedHashMap<>();
    List<String> paths = List.copyOf(p.outputs().paths().keySet());
    for (int i = 0; i < paths.size(); i++) {
      byPath.put(paths.get(i), out.get(i));
    }
    return byPath;
  }

  /** A weight of a case in this library's layout; {@code leaf} with slashes. */
  static double[] weight(GoldenCase g, String leaf) {
    return g.weight(leaf.replace('/', '.'), 6, 3, 3);
  }

  private static double[] twice(double[] y) {
    double[] out = new double[2 * y.length];
    System.arraycopy(y, 0, out, 0, y.length);
    System.arraycopy(y, 0, out, y.length, y.length);
    return out;
  }
}
