package dev.vauban.nn;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Tree;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * The statistics of a model's batch norms as a tree of its own: {@code mean} and {@code variance},
 * [C] each, under the path of each norm's weights, for example {@code body/block1/norm1/mean}.
 * Training uses each batch's own statistics and needs no such tree; a model that is to judge images
 * one by one, or to be attacked in batches of any size, needs fixed ones.
 *
 * <p>They come from one reference batch ({@link #gather}) or are mixed from many ({@link
 * #running}). {@link #logits} evaluates with them; {@link Folding} makes them part of the weights.
 */
public final class BatchStatistics {
  private BatchStatistics() {}

  /** What becomes of a batch norm's input. */
  @FunctionalInterface
  private interface AtNorm {
    Expr apply(String path, Norm norm, Tree<Expr> w, Expr x);
  }

  /**
   * What every batch norm of the model subtracts and divides by when it sees these images, the
   * variances with divisor n.
   *
   * @param w the model's weights
   * @param x a batch [N, input...]
   */
  public static Tree<Expr> gather(Model model, Tree<Expr> w, Expr x) {
    Map<String, Expr> found = new LinkedHashMap<>();
    walk(
        model,
        w,
        x,
        (path, norm, own, in) -> {
          Expr mean = Normalize.batchMean(in);
          Expr variance = in.variance(IntStream.range(0, in.shape().rank() - 1).toArray());
          found.put(path + "/mean", mean);
          found.put(path + "/variance", variance);
          return normalised(norm, own, in, mean, variance);
        });
    return Tree.ofPaths(found);
  }

  /**
   * Statistics after one more batch: {@code (1 - momentum) old + momentum fresh}.
   *
   * @param fresh what {@link #gather} found in that batch
   * @param momentum weight of the fresh ones, in (0,1]
   */
  public static Tree<Expr> running(Tree<Expr> old, Tree<Expr> fresh, double momentum) {
    return old.zip(fresh, (a, b) -> Normalize.running(a, b, momentum));
  }

  /**
   * Logits of a batch with fixed statistics: each image's depend on that image alone.
   *
   * @param w the model's weights
   * @param statistics as {@link #gather} makes them
   * @param x a batch [N, input...]
   * @return [N, ways]
   */
  public static Expr logits(Model model, Tree<Expr> w, Tree<Expr> statistics, Expr x) {
    return walk(
        model,
        w,
        x,
        (path, norm, own, in) -> {
          Tree<Expr> fixed = statistics.sub(path);
          return normalised(norm, own, in, fixed.get("mean"), fixed.get("variance"));
        });
  }

  private static Expr normalised(Norm norm, Tree<Expr> w, Expr x, Expr mean, Expr variance) {
    return Normalize.batch(x, mean, variance, w.get("scale"), w.get("shift"), norm.eps());
  }

  private static Expr walk(Model model, Tree<Expr> w, Expr x, AtNorm atNorm) {
    Expr features = walk("body", model.body(), own(w, "body"), x, atNorm);
    return walk("head", model.head(), own(w, "head"), features, atNorm);
  }

  private static Tree<Expr> own(Tree<Expr> w, String name) {
    return w.children().getOrDefault(name, Tree.empty());
  }

  private static Expr walk(String path, Layer layer, Tree<Expr> w, Expr x, AtNorm atNorm) {
    if (layer instanceof Norm norm && norm.over() == Norm.Over.BATCH) {
      return atNorm.apply(path, norm, w, x);
    }
    if (layer instanceof Composite composite) {
      return composite.apply(
          w, x, (name, part, own, in) -> walk(path + "/" + name, part, own, in, atNorm));
    }
    return layer.apply(w, x);
  }
}
