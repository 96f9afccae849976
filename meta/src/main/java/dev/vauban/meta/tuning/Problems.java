package dev.vauban.meta.tuning;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;

/**
 * A family of fine-tuning problems whose variables have one shape: each is some data to tune on and
 * some unseen data to be judged on. A tuner may be trained on several families of different shapes
 * at once.
 */
public interface Problems {
  /** Which of a problem's data. */
  enum Part {
    /** What the variables are tuned on. */
    TUNED_ON,
    /** What they are judged on. */
    UNSEEN
  }

  /** For tables and paths: no slashes. */
  String name();

  /** What all problems of the family share, for example images and a victim's weights. */
  default Tree<Type> shared() {
    return Tree.empty();
  }

  /** The shared tensors: own ones of {@code scope}, or views of memory that stays open. */
  default Tree<Tensor> shared(Scope scope) {
    return Tree.empty();
  }

  /** What one problem has of its own. */
  Tree<Type> own();

  /**
   * Writes problems {@code first} and following, as many as the first axis of {@code problems}. A
   * problem is a pure function of its number.
   *
   * @param problems of the types {@link #own}, with one more axis in front
   */
  void fill(long first, Tree<Tensor> problems);

  /** What is tuned. */
  Tree<Type> variables();

  /**
   * The loss of variables on one part of a problem's data: a scalar.
   *
   * @param shared of the types {@link #shared()}
   * @param own of the types {@link #own}
   */
  Expr loss(Tree<Expr> variables, Part part, Tree<Expr> shared, Tree<Expr> own);

  /** How many images (or other examples) the victim answers for one value of the loss tuned on. */
  int queries();

  /** Variables moved back to where they may be; by default they may be anywhere. */
  default Tree<Expr> project(Tree<Expr> variables) {
    return variables;
  }

  /** Figures of variables on one problem: scalars by name, the losses on both parts at least. */
  default Tree<Expr> figures(Tree<Expr> variables, Tree<Expr> shared, Tree<Expr> own) {
    return Tree.of(
        "loss", loss(variables, Part.TUNED_ON, shared, own),
        "loss_unseen", loss(variables, Part.UNSEEN, shared, own));
  }
}
