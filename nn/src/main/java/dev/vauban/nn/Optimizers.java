package dev.vauban.nn;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Tree;
import java.util.function.UnaryOperator;

/** The optimisers by name, with the usual constants; for static import. */
public final class Optimizers {
  private Optimizers() {}

  /** Gradient descent. */
  public static Sgd sgd(double rate) {
    return sgd(Schedule.constant(rate));
  }

  /** Gradient descent. */
  public static Sgd sgd(Schedule rate) {
    return new Sgd(rate, 0, Sgd.Form.HEAVY_BALL, 0);
  }

  /** Gradient descent with momentum and L2 weight decay. */
  public static Sgd momentum(Schedule rate, double momentum, double decay) {
    return new Sgd(rate, momentum, Sgd.Form.HEAVY_BALL, decay);
  }

  /** Gradient descent with Nesterov momentum and L2 weight decay. */
  public static Sgd nesterov(Schedule rate, double momentum, double decay) {
    return new Sgd(rate, momentum, Sgd.Form.NESTEROV, decay);
  }

  /** Adam with beta 0.9 and 0.999, eps 1e-8. */
  public static Adam adam(double rate) {
    return adam(Schedule.constant(rate));
  }

  /** Adam with beta 0.9 and 0.999, eps 1e-8. */
  public static Adam adam(Schedule rate) {
    return new Adam(rate, 0.9, 0.999, 1e-8, 0, Adam.Decay.COUPLED, Adam.Second.CURRENT);
  }

  /** Adam with decoupled weight decay. */
  public static Adam adamW(Schedule rate, double decay) {
    return new Adam(rate, 0.9, 0.999, 1e-8, decay, Adam.Decay.DECOUPLED, Adam.Second.CURRENT);
  }

  /** Adam with the largest second moment so far. */
  public static Adam amsgrad(Schedule rate) {
    return new Adam(rate, 0.9, 0.999, 1e-8, 0, Adam.Decay.COUPLED, Adam.Second.LARGEST);
  }

  /** RMSProp with alpha 0.99, eps 1e-8. */
  public static RmsProp rmsProp(Schedule rate) {
    return new RmsProp(rate, 0.99, 1e-8);
  }

  /** AdaGrad with eps 1e-10. */
  public static Adagrad adagrad(Schedule rate) {
    return new Adagrad(rate, 1e-10);
  }

  /** weights - rate * direction. */
  static Tree<Expr> descend(Tree<Expr> weights, Tree<Expr> direction, Expr rate) {
    return weights.zip(direction, (w, d) -> w.sub(d.mul(rate.cast(w.dtype()))));
  }

  /** gradient + decay * weights. */
  static Tree<Expr> decayed(Tree<Expr> gradient, Tree<Expr> weights, double decay) {
    return decay == 0 ? gradient : gradient.zip(weights, (g, w) -> g.add(w.mul(decay)));
  }

  static void inUnit(String name, double value) {
    if (!(value >= 0 && value < 1)) {
      throw new IllegalArgumentException(name + " is at least 0 and less than 1, not " + value);
    }
  }

  static void notNegative(String name, double value) {
    if (!(value >= 0)) {
      throw new IllegalArgumentException(name + " is at least 0, not " + value);
    }
  }

  /** An optimiser behind a change of the gradient. */
  record Changed(UnaryOperator<Tree<Expr>> change, Optimizer inner) implements Optimizer {
    @Override
    public Tree<Expr> init(Tree<Expr> weights) {
      return inner.init(weights);
    }

    @Override
    public Update update(Tree<Expr> weights, Tree<Expr> gradient, Tree<Expr> state, Expr step) {
      return inner.update(weights, change.apply(gradient), state, step);
    }
  }
}
