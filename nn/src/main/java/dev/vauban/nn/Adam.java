package dev.vauban.nn;

import dev.vauban.tensor.DType;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Tree;

/**
 * Adam (Kingma and Ba 2015, Algorithm 1) with bias correction: steps of {@code rate m / (sqrt(v) +
 * eps)} with running means of the gradient and of its square.
 *
 * @param rate the learning rate
 * @param beta1 weight of the old first moment, in [0,1)
 * @param beta2 weight of the old second moment, in [0,1)
 * @param eps added to the root of the second moment; more than 0
 * @param decay weight decay; at least 0
 * @param how where the decay goes
 * @param second which second moment divides
 */
public record Adam(
    Schedule rate, double beta1, double beta2, double eps, double decay, Decay how, Second second)
    implements Optimizer {
  /** Where weight decay goes. */
  public enum Decay {
    /** Into the gradient, as an L2 penalty's gradient would. */
    COUPLED,
    /** Straight to the weights, {@code w - rate decay w} (Loshchilov and Hutter 2019, AdamW). */
    DECOUPLED
  }

  /** Which second moment divides. */
  public enum Second {
    /** The current one. */
    CURRENT,
    /** The largest so far (Reddi et al. 2018, AMSGrad). */
    LARGEST
  }

  /** Checks the ranges. */
  public Adam {
    Optimizers.inUnit("beta1", beta1);
    Optimizers.inUnit("beta2", beta2);
    Optimizers.notNegative("weight decay", decay);
    if (!(eps > 0)) {
      throw new IllegalArgumentException("eps is more than 0, not " + eps);
    }
  }

  @Override
  public Tree<Expr> init(Tree<Expr> weights) {
    Tree<Expr> zeros = weights.map(Expr::zeros);
    Tree<Expr> state = Tree.<Expr>empty().with("m", zeros).with("v", zeros);
    return second == Second.LARGEST ? state.with("largest", zeros) : state;
  }

  @Override
  public Update update(Tree<Expr> weights, Tree<Expr> gradient, Tree<Expr> state, Expr step) {
    Expr lr = rate.at(step);
    Tree<Expr> g = gradient;
    Tree<Expr> w = weights;
    switch (how) {
      case COUPLED -> g = Optimizers.decayed(gradient, weights, decay);
      case DECOUPLED -> w = decay == 0 ? weights : shrunk(weights, lr);
    }
    Tree<Expr> m = state.sub("m").zip(g, (a, d) -> a.mul(beta1).add(d.mul(1 - beta1)));
    Tree<Expr> v = state.sub("v").zip(g, (a, d) -> a.mul(beta2).add(d.square().mul(1 - beta2)));
    Tree<Expr> next = Tree.<Expr>empty().with("m", m).with("v", v);
    Tree<Expr> divisor = v;
    if (second == Second.LARGEST) {
      divisor = state.sub("largest").zip(v, Expr::max);
      next = next.with("largest", divisor);
    }
    Expr t = step.add(1).cast(DType.F32);
    Expr rateOverFirst = lr.div(correction(beta1, t));
    Expr rootOfSecond = correction(beta2, t).sqrt().reciprocal();
    Tree<Expr> direction =
        m.zip(divisor, (a, b) -> a.div(b.sqrt().mul(rootOfSecond.cast(b.dtype())).add(eps)));
    return new Update(Optimizers.descend(w, direction, rateOverFirst), next);
  }

  private Tree<Expr> shrunk(Tree<Expr> weights, Expr lr) {
    return weights.map(w -> w.sub(w.mul(lr.mul(decay).cast(w.dtype()))));
  }

  /** 1 - beta^t. As expm1, since 0.999 in F32 alone would cost 4 digits of the difference. */
  private static Expr correction(double beta, Expr t) {
    return beta == 0 ? t.ones() : t.mul(Math.log(beta)).expm1().neg();
  }
}
