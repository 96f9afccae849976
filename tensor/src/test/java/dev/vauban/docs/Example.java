package dev.vauban.docs;

import static dev.vauban.tensor.Grad.grad;
import static dev.vauban.tensor.Vmap.vmapToArray;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;

/** The worked example of docs/architecture.md. */
final class Example {
  private Example() {}

  // The page begins
  /** Mean squared error of a linear model with a bias. */
  static Expr loss(Tree<Expr> w, Expr x, Expr t) {
    Expr y = x.matmul(w.get("w")).add(w.get("b"));
    return y.sub(t).square().mean();
  }

  /** One inner step of gradient descent, then the loss on the same data. */
  static Expr task(Tree<Expr> theta, Tree<Expr> task) {
    Tree<Expr> g = grad(w -> loss(w, task.get("x"), task.get("t")), theta);
    Tree<Expr> fast = theta.zip(g, (w, d) -> w.sub(d.mul(0.1)));
    return loss(fast, task.get("x"), task.get("t"));
  }

  static Program program() {
    Tree<Type> types =
        Tree.<Type>empty()
            .with("theta", Tree.of("w", Type.f32(3, 2), "b", Type.f32(2)))
            .with("tasks", Tree.of("x", Type.f32(4, 8, 3), "t", Type.f32(4, 8, 2)));
    return Program.trace(
        types,
        in -> Tree.of("loss", vmapToArray(t -> task(in.sub("theta"), t), in.sub("tasks")).mean()));
  }
  // The page ends
}
