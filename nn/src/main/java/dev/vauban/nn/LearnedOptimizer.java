package dev.vauban.nn;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;

/**
 * An optimiser that is a recurrent network (Andrychowicz et al. 2016, <a
 * href="https://arxiv.org/abs/1606.04474">arXiv 1606.04474</a>, section 2.1): an LSTM cell that
 * sees one coordinate's gradient and says by how much that coordinate moves. All coordinates share
 * its weights and each has a state of its own, so one optimiser serves variables of any number and
 * shape; that is what a learned fine-tuner for tasks of different shapes rests on (Zhao et al.
 * 2020, <a href="https://arxiv.org/abs/2009.13714">arXiv 2009.13714</a>).
 *
 * <p>The output layer has no bias, as in Ruan et al. 2020 (ZO-LSTM): what moves a coordinate is its
 * state alone. Gradients count as constants, so that learning these weights needs no second
 * derivatives of what is optimised.
 *
 * @param hidden units of the cell, at least 1; 10 to 20 in the papers
 * @param input what the cell sees of a gradient
 * @param scale what the output is multiplied by, in units of the variables; more than 0
 */
public record LearnedOptimizer(int hidden, Input input, double scale) {
  /** The constant p of {@link Input#LOG_AND_SIGN}: gradients below exp(-p) are seen linearly. */
  private static final double P = 10;

  /** What the cell sees of a gradient g. */
  public enum Input {
    /**
     * Two numbers of about size 1 whatever the gradient's size: (log |g| / p, sign g) where |g| is
     * at least exp(-p), otherwise (-1, exp(p) g); p = 10 (Andrychowicz et al. 2016, appendix A).
     */
    LOG_AND_SIGN(2),
    /** The gradient as it is (Ruan et al. 2020). */
    RAW(1);

    private final int size;

    Input(int size) {
      this.size = size;
    }

    /** [n] to [n,size]. */
    Expr of(Expr g) {
      int n = g.shape().dim(0);
      return switch (this) {
        case RAW -> g.reshape(n, 1);
        case LOG_AND_SIGN -> {
          // Below exp(-p) the logarithm is not looked at; the floor keeps it finite at 0.
          Expr magnitude = g.abs().max(Math.exp(-P)).log().div(P);
          Expr direction = g.mul(Math.exp(P)).clamp(-1, 1);
          yield Expr.concat(1, magnitude.reshape(n, 1), direction.reshape(n, 1));
        }
      };
    }
  }

  /** Checks the ranges. */
  public LearnedOptimizer {
    if (hidden < 1 || !(scale > 0)) {
      throw new IllegalArgumentException(
          "a learned optimiser has at least 1 unit and a scale above 0, not %d and %s"
              .formatted(hidden, scale));
    }
  }

  /** What is learned: {@code cell/...} and {@code out} [hidden,1]. */
  public Tree<Weight> weights() {
    return Tree.<Weight>empty()
        .with("cell", cell().weights())
        .with("out", new Weight(Type.f32(hidden, 1), Init.FAN_IN_UNIFORM, hidden, 1));
  }

  /**
   * The optimiser that these weights make; its state is {@code h} and {@code c}, [n,hidden] each.
   */
  public Optimizer with(Tree<Expr> weights) {
    return new Rule(this, weights);
  }

  private LstmCell cell() {
    return new LstmCell(input.size, hidden);
  }

  private record Rule(LearnedOptimizer net, Tree<Expr> phi) implements Optimizer {
    @Override
    public Tree<Expr> init(Tree<Expr> weights) {
      Tree<Expr> zeros = weights.map(w -> net.cell().zeros(size(w)).h());
      return Tree.<Expr>empty().with("h", zeros).with("c", zeros);
    }

    @Override
    public Update update(Tree<Expr> weights, Tree<Expr> gradient, Tree<Expr> state, Expr step) {
      Tree<LstmCell.State> before = state.sub("h").zip(state.sub("c"), LstmCell.State::new);
      Tree<LstmCell.State> after = gradient.zip(before, this::next);
      Tree<Expr> moved = weights.zip(after, (w, s) -> w.sub(move(s).reshape(w.shape())));
      return new Update(
          moved,
          Tree.<Expr>empty()
              .with("h", after.map(LstmCell.State::h))
              .with("c", after.map(LstmCell.State::c)));
    }

    private LstmCell.State next(Expr gradient, LstmCell.State before) {
      Expr seen = net.input.of(gradient.stopGradient().reshape(size(gradient)));
      return net.cell().apply(phi.sub("cell"), seen, before);
    }

    private Expr move(LstmCell.State s) {
      return s.h().matmul(phi.get("out")).mul(net.scale);
    }

    private static int size(Expr e) {
      return Math.toIntExact(e.shape().size());
    }
  }
}
