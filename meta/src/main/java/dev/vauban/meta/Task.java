package dev.vauban.meta;

import dev.vauban.nn.Batch;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Tree;

/**
 * One few-shot task, or several stacked along a new first axis.
 *
 * @param support labelled examples to adapt on
 * @param query examples to be judged on
 */
public record Task<T>(Batch<T> support, Batch<T> query) {
  /**
   * The task of a tree {@code support/x, support/y, query/x, query/y} and, if anything draws random
   * numbers, {@code key}: support and query get independent keys made from it.
   */
  public static Task<Expr> of(Tree<Expr> tree) {
    Batch<Expr> support = Batch.of(tree.sub("support"));
    Batch<Expr> query = Batch.of(tree.sub("query"));
    if (!tree.has("key")) {
      return new Task<>(support, query);
    }
    Expr key = tree.get("key");
    return new Task<>(support.withKey(key.fold(0)), query.withKey(key.fold(1)));
  }

  /** The tree of both batches; keys are not part of it. */
  public Tree<T> tree() {
    return Tree.<T>empty().with("support", support.tree()).with("query", query.tree());
  }

  /** The batch of inner step {@code step}: its randomness differs from step to step. */
  static Batch<Expr> atStep(Batch<Expr> batch, int step) {
    return batch.randomness() == null ? batch : batch.withKey(batch.key().fold(step));
  }
}
