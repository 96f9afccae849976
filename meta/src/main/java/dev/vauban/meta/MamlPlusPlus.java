package dev.vauban.meta;

import static dev.vauban.tensor.Grad.grad;

import dev.vauban.nn.Batch;
import dev.vauban.nn.Loss;
import dev.vauban.nn.Model;
import dev.vauban.tensor.DType;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * MAML++ (Antoniou, Edwards, Storkey 2019, <a href="https://arxiv.org/abs/1810.09502">arXiv
 * 1810.09502</a>, section 4), whole:
 *
 * <ul>
 *   <li>MSL, eq. 3: the query loss after every inner step counts, with weights that move to the
 *       last step while training ({@link Plan#importance}).
 *   <li>DA: the meta-gradient is first-order until a meta-step, then second-order.
 *   <li>BNWB and BNRS: each inner step has batch norm scales and shifts of its own; adaptation does
 *       not change them, only the outer loop does (as in the release). Statistics are the batch's
 *       own, also as in the release, whose per-step running statistics are kept but not used.
 *   <li>LSLR: each weight array has a learned step size for each inner step.
 *   <li>CA, the cosine of the outer step size, is the optimiser's business.
 * </ul>
 *
 * <p>Theta is {@code weights} (all but the norms), {@code rates} [steps] for each of them, and
 * {@code norms} [steps, channels]. The adapted state is {@code weights}, {@code norms} and the
 * number of steps done, {@code step}. Queries are judged with the norms of the last step done, as
 * in the release; steps beyond the trained number use the last one's rates and norms (the release
 * never takes more).
 *
 * <p>Deviations: one plan serves the whole training, so the losses of all steps and second
 * derivatives are always computed and weighted (by 0 where the paper omits them): the value is the
 * paper's, its saving of time is not. The release alters the weights once an epoch of 500
 * meta-steps; so does this, an epoch being {@link Plan#epoch} meta-steps.
 *
 * @param model the network
 * @param inner the loss that adaptation descends, of the network's weights
 * @param outer the loss on queries, of the network's weights
 * @param steps inner steps, at least 1
 * @param rate where every step size starts: 0.1 on Omniglot, 0.01 on mini-ImageNet
 * @param plan how training changes over time
 * @param now the number of the meta-step, or null for the end of training
 */
public record MamlPlusPlus(
    Model model, Loss inner, Loss outer, int steps, double rate, Plan plan, Expr now)
    implements MetaLearner {
  private static final String WEIGHTS = "weights";
  private static final String RATES = "rates";
  private static final String NORMS = "norms";
  private static final String STEP = "step";

  /** Checks that there is a step. */
  public MamlPlusPlus {
    if (steps < 1) {
      throw new IllegalArgumentException("maml++ needs at least 1 inner step, not " + steps);
    }
  }

  /** At the end of training. */
  public MamlPlusPlus(Model model, Loss inner, Loss outer, int steps, double rate, Plan plan) {
    this(model, inner, outer, steps, rate, plan, null);
  }

  /**
   * How training changes over time.
   *
   * @param epoch meta-steps of an epoch, at least 1; 500 in the release
   * @param annealed epochs until only the last inner step counts; 10 in the release on Omniglot
   * @param secondOrderFrom meta-steps with first-order gradients; 0 in the release
   */
  public record Plan(int epoch, int annealed, int secondOrderFrom) {
    /** The smallest weight of a step before the last, times the number of steps. */
    private static final double LEAST = 0.03;

    /** Checks the ranges. */
    public Plan {
      if (epoch < 1 || annealed < 0 || secondOrderFrom < 0) {
        throw new IllegalArgumentException(
            "maml++ needs an epoch of at least 1 meta-step and no negative numbers, not %d, %d, %d"
                .formatted(epoch, annealed, secondOrderFrom));
      }
    }

    /**
     * The release's shares of a training of so many meta-steps: 100 epochs, 10 of them annealed.
     */
    public static Plan of(int iterations) {
      return new Plan(Math.max(1, iterations / 100), 10, 0);
    }

    /**
     * The weight of the query loss after inner step {@code k}: 1/steps at first, then less in every
     * epoch down to 0.03/steps, and more for the last step, so that they sum to 1; in the end only
     * the last counts.
     *
     * @param now number of the meta-step, or null for the end of training
     * @return an F32 scalar
     */
    Expr importance(int k, int steps, Expr now) {
      boolean last = k == steps - 1;
      if (now == null || annealed == 0) {
        return Expr.scalar(last ? 1 : 0);
      }
      Expr e = now.cast(DType.F32).add(0.5).mul(1.0 / epoch).floor();
      double each = 1.0 / steps;
      double drop = each / annealed;
      Expr early =
          last
              ? e.mul((steps - 1) * drop).add(each).min(1 - (steps - 1) * LEAST * each)
              : e.mul(-drop).add(each).max(LEAST * each);
      return Expr.select(e.lt(annealed), early, Expr.scalar(last ? 1 : 0));
    }
  }

  @Override
  public MetaLearner at(Expr number) {
    return new MamlPlusPlus(model, inner, outer, steps, rate, plan, number);
  }

  @Override
  public Expr taskLoss(Tree<Expr> theta, Task<Expr> task) {
    Tree<Expr> fast = start(theta, task.support());
    Expr total = Expr.scalar(0);
    for (int k = 0; k < steps; k++) {
      fast = step(theta, fast, Task.atStep(task.support(), k));
      Expr share = plan.importance(k, steps, now);
      total = total.add(outer.of(weights(fast), task.query()).mul(share)); // eq. 3
    }
    return total;
  }

  @Override
  public Tree<Expr> start(Tree<Expr> theta, Batch<Expr> support) {
    return Tree.<Expr>empty()
        .with(WEIGHTS, theta.sub(WEIGHTS))
        .with(NORMS, theta.sub(NORMS))
        .with(STEP, Expr.fill(Type.i32(), 0));
  }

  @Override
  public Tree<Expr> step(Tree<Expr> theta, Tree<Expr> fast, Batch<Expr> support) {
    Expr k = fast.get(STEP).min(steps - 1);
    Tree<Expr> slow = fast.sub(NORMS);
    Tree<Expr> g = grad(w -> inner.of(whole(w, slow, k), support), fast.sub(WEIGHTS));
    Tree<Expr> d = g.map(this::ordered);
    Tree<Expr> rates = theta.sub(RATES);
    Tree<Expr> moved =
        fast.sub(WEIGHTS)
            .mapPaths((path, w) -> w.sub(d.get(path).mul(rates.get(path).gather(0, k))));
    return fast.with(WEIGHTS, moved).with(STEP, fast.get(STEP).add(1));
  }

  /** The same gradient, seen through by the outer one only once that is second-order. */
  private Expr ordered(Expr g) {
    if (now == null || plan.secondOrderFrom == 0) {
      return g;
    }
    Expr second = now.ge(plan.secondOrderFrom).cast(g.dtype());
    return Expr.select(second, g, g.stopGradient());
  }

  /** The network's weights, with the norms of the last step done. */
  @Override
  public Tree<Expr> weights(Tree<Expr> fast) {
    Expr k = fast.get(STEP).sub(1).clamp(0, steps - 1);
    return whole(fast.sub(WEIGHTS), fast.sub(NORMS), k);
  }

  /** Weights and the norms of step {@code k}, in the order of the network's own tree. */
  private Tree<Expr> whole(Tree<Expr> weights, Tree<Expr> norms, Expr k) {
    return model
        .types()
        .mapPaths(
            (path, type) -> norms.has(path) ? norms.get(path).gather(0, k) : weights.get(path));
  }

  private boolean ofNorm(String path) {
    int end = path.lastIndexOf('/');
    return end > 0 && model.batchNorms().contains(path.substring(0, end));
  }

  private <T> Tree<T> part(Tree<T> weights, boolean norms) {
    Map<String, T> paths = new LinkedHashMap<>();
    weights
        .paths()
        .forEach((path, value) -> {
          if (ofNorm(path) == norms) {
            paths.put(path, value);
          }
        });
    return Tree.ofPaths(paths);
  }

  @Override
  public Tree<Type> types(Tree<Type> weights) {
    Tree<Type> own = part(weights, false);
    return Tree.<Type>empty()
        .with(WEIGHTS, own)
        .with(RATES, own.map(w -> Type.f32(steps)))
        .with(NORMS, part(weights, true).map(t -> t.with(Shape.of(steps, t.shape().dim(0)))));
  }

  @Override
  public Tree<Tensor> init(Tree<Tensor> weights, Scope scope) {
    Tree<Tensor> own = part(weights, false);
    double[] rates = new double[steps];
    Arrays.fill(rates, rate);
    return Tree.<Tensor>empty()
        .with(WEIGHTS, own)
        .with(RATES, own.map(w -> scope.tensor(Type.f32(steps)).set(rates)))
        .with(NORMS, part(weights, true).map(t -> repeated(t, scope)));
  }

  private Tensor repeated(Tensor norm, Scope scope) {
    double[] each = norm.toDoubles();
    double[] all = new double[steps * each.length];
    for (int k = 0; k < steps; k++) {
      System.arraycopy(each, 0, all, k * each.length, each.length);
    }
    return scope.tensor(Type.f32(steps, each.length)).set(all);
  }
}
