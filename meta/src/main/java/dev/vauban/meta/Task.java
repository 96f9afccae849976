package dev.vauban.meta;

import dev.vauban.nn.Batch;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Tree;

/**
 * One few-shot task, or several stacked along a new first axis.
 *
 * @param support labelled examples to adapt on
 * @param query examples to be judged on
 * @param unlabeled further images [U,H,W,C] without labels, or null if there are none
 */
public record Task<T>(Batch<T> support, Batch<T> query, T unlabeled) {
  /** A task without further images. */
  public Task(Batch<T> support, Batch<T> query) {
    this(support, query, null);
  }

  /**
   * The task of a tree {@code support/x, support/y, query/x, query/y}, perhaps {@code unlabeled}
   * and, if anything draws random numbers, {@code key}: support and query get independent keys made
   * from it.
   */
  public static Task<Expr> of(Tree<Expr> tree) {
    Batch<Expr> support = Batch.of(tree.sub("support"));
    Batch<Expr> query = Batch.of(tree.sub("query"));
    Expr more = tree.has("unlabeled") ? tree.get("unlabeled") : null;
    if (!tree.has("key")) {
      return new Task<>(support, query, more);
    }
    Expr key = tree.get("key");
    return new Task<>(support.withKey(key.fold(0)), query.withKey(key.fold(1)), more);
  }

  /** The tree of both batches; keys and further images are not part of it. */
  public Tree<T> tree() {
    return Tree.<T>empty().with("support", support.tree()).with("query", query.tree());
  }

  /** The batch of inner step {@code step}: its randomness differs from step to step. */
  static Batch<Expr> atStep(Batch<Expr> batch, int step) {
    return batch.randomness() == null ? batch : batch.withKey(batch.key().fold(step));
  }

  /** The batch of inner step {@code step}, an I32 scalar: as {@link #atStep(Batch, int)}. */
  static Batch<Expr> atStep(Batch<Expr> batch, Expr step) {
    return batch.randomness() == null ? batch : batch.withKey(batch.key().fold(step));
  }
}
