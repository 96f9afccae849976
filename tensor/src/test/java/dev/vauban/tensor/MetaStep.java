package dev.vauban.tensor;

import dev.vauban.tensor.PoolOp.PoolWindow;

/** A whole meta-step, small. */
public final class MetaStep {
  private MetaStep() {}

  /**
   * A meta-step of everything at once: three tasks, two second-order inner steps through
   * convolution, normalisation and pooling, the query attacked by a loop of sign gradients.
   */
  public static Program program() {
    return program(3, 3);
  }

  /**
   * The same for any number of tasks.
   *
   * @param steps of the attack
   */
  public static Program program(int n, int steps) {
    Tree<Type> weights = Tree.of("w", Type.f32(3, 3, 1, 8), "g", Type.f32(8), "h", Type.f32(32, 3));
    Tree<Type> tasks =
        Tree.of("x", Type.f32(n, 6, 9, 9, 1), "t", Type.f32(n, 6, 3), "key", Type.i32(n, 2));
    return Program.trace(
        Tree.<Type>empty().with("theta", weights).with("tasks", tasks),
        in -> {
          Grad.Result r =
              Grad.valueAndGrad(
                  theta -> Vmap.vmapToArray(t -> task(theta, t, steps), in.sub("tasks")).mean(),
                  in.sub("theta"));
          return Tree.of("loss", r.value()).with("gradient", r.gradient());
        });
  }

  private static Expr task(Tree<Expr> theta, Tree<Expr> t, int steps) {
    Tree<Expr> fast = theta;
    for (int k = 0; k < 2; k++) {
      Tree<Expr> g = Grad.grad(w -> loss(w, t.get("x"), t.get("t")), fast);
      fast = fast.zip(g, (w, d) -> w.sub(d.mul(0.1)));
    }
    Tree<Expr> adapted = fast;
    Expr x = t.get("x");
    Expr noise = t.get("key").uniform(x.shape()).sub(0.5).mul(0.06);
    Expr attacked =
        Vmap.repeat(
                steps,
                x.add(noise).stopGradient(),
                a -> {
                  Tree<Expr> fixed = adapted.map(Expr::stopGradient);
                  Expr g = Grad.grad(p -> loss(fixed, p, t.get("t")), a);
                  Expr moved = a.add(g.sign().mul(0.01)).stopGradient();
                  return moved.clamp(x.sub(0.03), x.add(0.03)).stopGradient();
                })
            .stopGradient();
    return loss(adapted, attacked, t.get("t"));
  }

  private static Expr loss(Tree<Expr> w, Expr x, Expr target) {
    Expr y = x.convolve(w.get("w"), Window.of(1, 1), 1);
    int[] axes = {0, 1, 2};
    Expr centred = y.sub(y.mean(axes).keep(y.shape(), axes));
    Expr scale = centred.square().mean(axes).add(1e-3).rsqrt().mul(w.get("g"));
    Expr features = centred.mul(scale).relu().maxPool(PoolWindow.square(4));
    Expr logits = features.reshape(6, 32).matmul(w.get("h"));
    Expr shifted = logits.sub(logits.maxOver(1).stopGradient().keep(logits.shape(), 1));
    Expr norm = shifted.exp().sum(1).log().keep(logits.shape(), 1);
    return shifted.sub(norm).mul(target).sum(1).neg().mean();
  }
}
