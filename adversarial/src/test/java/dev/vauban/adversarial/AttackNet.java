package dev.vauban.adversarial;

import dev.vauban.tensor.DType;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Graph;
import dev.vauban.tensor.PoolOp.PoolWindow;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.Window;
import dev.vauban.tensor.backend.reference.Reference;
import dev.vauban.tensor.golden.GoldenCase;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * The trained network of the case adv/setup, in the sizes that the case has: blocks of convolution,
 * ReLU and pooling, then a linear layer.
 */
final class AttackNet {
  final GoldenCase setup = GoldenCase.of("adv/setup");

  /** Names of the weights, with slashes: {@code c0/w} and so on. */
  final List<String> leaves = List.copyOf(setup.weightTypes("w.").keySet());

  /** The images' shape, [N,H,W,C]. */
  final Shape images = images();

  private final int blocks = (int) leaves.stream().filter(l -> l.matches("c\\d+/w")).count();

  private Shape images() {
    int[] x = setup.shape("x");
    return Shape.of(x[0], x[2], x[3], x[1]);
  }

  /** Elements of all images. */
  int elements() {
    return (int) images.size();
  }

  static Expr logits(Tree<Expr> w, Expr x) {
    Expr h = x;
    for (int i = 0; w.has("c" + i); i++) {
      h = block(w.sub("c" + i), h);
    }
    int n = x.shape().dim(0);
    return h.reshape(n, -1).matmul(w.get("head/w")).add(w.get("head/b"));
  }

  private static Expr block(Tree<Expr> w, Expr x) {
    Window same = Window.of(1, w.get("w").shape().dim(0) / 2);
    Expr h = x.convolve(w.get("w"), same, 1).add(w.get("b"));
    return h.relu().maxPool(PoolWindow.square(2));
  }

  /** Cross-entropy of each image. */
  static Expr crossEntropy(Expr logits, Expr y) {
    return logSoftmax(logits).mul(y.oneHot(logits.shape().dim(1))).sum(1).neg();
  }

  static Expr logSoftmax(Expr z) {
    Expr s = z.sub(z.maxOver(1).stopGradient().keep(z.shape(), 1));
    return s.sub(s.exp().sum(1).log().keep(z.shape(), 1));
  }

  Tree<Type> types() {
    Type x = new Type(DType.F32, images);
    return Tree.of("w", weightTypes())
        .with("x", x)
        .with("start", x)
        .with("y", Type.i32(images.dim(0)))
        .with("key", Type.i32(2));
  }

  Tree<Type> weightTypes() {
    return Tree.ofPaths(setup.weightTypes("w."));
  }

  /** A weight of a case in this library's layout; {@code leaf} with slashes. */
  double[] weight(GoldenCase g, String leaf) {
    int channels = setup.shape("w.c" + (blocks - 1) + ".w")[0];
    return g.weight(
        leaf.replace('/', '.'), channels, images.dim(1) >> blocks, images.dim(2) >> blocks);
  }

  /** {@code f}'s results in double; {@code start} feeds the input of that name. */
  List<double[]> run(Function<Tree<Expr>, Tree<Expr>> f, double[] start) {
    Graph g = Program.trace(types(), f).graph();
    List<double[]> args = new ArrayList<>();
    leaves.forEach(leaf -> args.add(weight(setup, "w." + leaf)));
    args.add(setup.images("x"));
    args.add(start);
    args.add(setup.get("y"));
    args.add(new double[] {3, 7}); // no attack draws from it
    return Reference.evaluate(g, args);
  }
}
