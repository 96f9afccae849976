package dev.vauban.adversarial;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Graph;
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

/** The trained network of the case adv/setup: two convolutions with ReLU and pooling, linear. */
final class AttackNet {
  static final String[] LEAVES = {"c0.w", "c0.b", "c1.w", "c1.b", "head.w", "head.b"};
  static final int CLASSES = 6;
  final GoldenCase setup = GoldenCase.of("adv/setup");

  static Expr logits(Tree<Expr> w, Expr x) {
    Expr h = block(w, "c0", x);
    h = block(w, "c1", h);
    int n = x.shape().dim(0);
    return h.reshape(n, 54).matmul(w.get("head.w")).add(w.get("head.b"));
  }

  private static Expr block(Tree<Expr> w, String name, Expr x) {
    return x.convolve(w.get(name + ".w"), Window.of(1, 1), 1)
        .add(w.get(name + ".b"))
        .relu()
        .maxPool(PoolWindow.square(2));
  }

  /** Cross-entropy of each image. */
  static Expr crossEntropy(Expr logits, Expr y) {
    return logSoftmax(logits).mul(y.oneHot(CLASSES)).sum(1).neg();
  }

  static Expr logSoftmax(Expr z) {
    Expr s = z.sub(z.maxOver(1).stopGradient().keep(z.shape(), 1));
    return s.sub(s.exp().sum(1).log().keep(z.shape(), 1));
  }

  Tree<Type> types() {
    return Tree.of("w", weightTypes())
        .with("x", Type.f32(8, 12, 12, 1))
        .with("start", Type.f32(8, 12, 12, 1))
        .with("y", Type.i32(8))
        .with("key", Type.i32(2));
  }

  static Tree<Type> weightTypes() {
    Map<String, Type> t = new LinkedHashMap<>();
    t.put("c0.w", Type.f32(3, 3, 1, 6));
    t.put("c0.b", Type.f32(6));
    t.put("c1.w", Type.f32(3, 3, 6, 6));
    t.put("c1.b", Type.f32(6));
    t.put("head.w", Type.f32(54, 6));
    t.put("head.b", Type.f32(6));
    return Tree.ofPaths(t);
  }

  /** {@code f}'s results in double; {@code start} feeds the input of that name. */
  List<double[]> run(Function<Tree<Expr>, Tree<Expr>> f, double[] start) {
    Graph g = Program.trace(types(), f).graph();
    List<double[]> args = new ArrayList<>();
    for (String leaf : LEAVES) {
      args.add(setup.weight("w." + leaf, 6, 3, 3));
    }
    args.add(setup.images("x"));
    args.add(start);
    args.add(setup.get("y"));
    args.add(new double[] {3, 7});
    return Reference.evaluate(g, args);
  }
}
