package dev.vauban.meta;

import dev.vauban.nn.Batch;
import dev.vauban.nn.data.EpisodeSampler;
import dev.vauban.nn.data.ImageSet;
import dev.vauban.tensor.DType;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import java.util.stream.IntStream;

/**
 * Episodes as inputs of a plan: the data set's whole block of bytes, which is never copied, and
 * lists of indices into it. Images become numbers in [0,1] inside the plan; labels are constants,
 * since episodes are drawn class by class.
 */
record EpisodeInputs(int ways, int shots, int queries, int tasks, int unlabeled) {

  /** Episodes with support and query alone. */
  static EpisodeInputs of(EpisodeSampler sampler, int tasks) {
    return of(sampler, tasks, 0);
  }

  /** Episodes with so many further images each, of any classes of the set. */
  static EpisodeInputs of(EpisodeSampler sampler, int tasks, int unlabeled) {
    if (tasks < 1) {
      throw new IllegalArgumentException("at least 1 task is needed, not " + tasks);
    }
    if (sampler.queries() < 1) {
      throw new IllegalArgumentException("episodes need at least 1 query image per class, not 0");
    }
    return new EpisodeInputs(sampler.ways(), sampler.shots(), sampler.queries(), tasks, unlabeled);
  }

  /**
   * {@code images} u8 [N,H,W,C], {@code support}, {@code query} and perhaps {@code unlabeled} i32
   * [tasks, ...].
   */
  Tree<Type> types(ImageSet set) {
    Tree<Type> types =
        Tree.of(
            "images", new Type(DType.U8, set.blockShape()),
            "support", Type.i32(tasks, ways * shots),
            "query", Type.i32(tasks, ways * queries));
    return unlabeled == 0 ? types : types.with("unlabeled", Type.i32(tasks, unlabeled));
  }

  /** The leaves of {@code in} that {@link #task} takes one task's share of. */
  Tree<Expr> indices(Tree<Expr> in) {
    Tree<Expr> some = Tree.of("support", in.get("support"), "query", in.get("query"));
    return unlabeled == 0 ? some : some.with("unlabeled", in.get("unlabeled"));
  }

  /** Tensors for {@link #types}: the block where it lies, and room for the indices. */
  Tree<Tensor> tensors(ImageSet set, Scope scope) {
    return types(set)
        .mapPaths((path, type) ->
            path.equals("images") ? Tensor.over(scope, type, set.pixels()) : scope.tensor(type));
  }

  /** Writes the indices of episodes {@code first} and following. */
  void fill(EpisodeSampler sampler, long first, Tree<Tensor> tensors) {
    sampler.fill(first, tasks, tensors.get("support").segment(), tensors.get("query").segment());
    if (unlabeled > 0) {
      sampler.fillUnlabeled(first, tasks, unlabeled, tensors.get("unlabeled").segment());
    }
  }

  /** One task from its indices {@code support}, {@code query} and its {@code key}. */
  Task<Expr> task(Expr images, Tree<Expr> element) {
    Expr key = element.get("key");
    return new Task<>(
        batch(images, element.get("support"), shots, key.fold(0)),
        batch(images, element.get("query"), queries, key.fold(1)),
        unlabeled == 0 ? null : pixels(images, element.get("unlabeled")));
  }

  private static Expr pixels(Expr images, Expr indices) {
    return images.gather(0, indices).cast(DType.F32).div(255);
  }

  private Batch<Expr> batch(Expr images, Expr indices, int perClass, Expr key) {
    Expr x = pixels(images, indices);
    double[] labels = IntStream.range(0, ways * perClass).mapToDouble(i -> i / perClass).toArray();
    return new Batch<>(x, Expr.data(Type.i32(labels.length), labels), key);
  }
}
