package dev.vauban.meta.tuning;

import dev.vauban.adversarial.UniversalPerturbation;
import dev.vauban.meta.TrainedClassifier;
import dev.vauban.nn.Batch;
import dev.vauban.nn.data.EpisodeSampler;
import dev.vauban.nn.data.ImageSet;
import dev.vauban.tensor.DType;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import java.util.Arrays;
import java.util.function.UnaryOperator;

/**
 * Few-shot universal attacks on one victim (Zhao et al. 2020, section 5): a problem is a few images
 * of a few classes, and the variable one perturbation {@code delta} [H,W,C] that shall fool the
 * victim on unseen images of the same classes.
 *
 * <p>Figures: {@code success} and {@code success_unseen} (shares of misclassified images), {@code
 * loss} and {@code loss_unseen}, and the perturbation's norms {@code l1}, {@code l2}, {@code linf}.
 *
 * @param name of the image source, for tables
 * @param victim the network under attack; must stay open
 * @param sampler of the images: support images are tuned on, query images unseen. Its set shares
 *     the block of the victim's classes and holds images that the victim classifies correctly
 *     ({@link TrainedClassifier#correct}), so that every success is the perturbation's
 * @param perturbation loss and bound
 */
public record UniversalAttack(
    String name,
    TrainedClassifier victim,
    EpisodeSampler sampler,
    UniversalPerturbation perturbation)
    implements Problems {
  /** Checks that the images are of the victim's block and that some are unseen. */
  public UniversalAttack {
    ImageSet set = sampler.set();
    if (set.pixels().address() != victim.classes().pixels().address() || sampler.queries() < 1) {
      throw new IllegalArgumentException(
          "%s: the images to attack are a selection of the victim's, with at least 1 unseen image"
              .formatted(name));
    }
  }

  @Override
  public Tree<Type> shared() {
    ImageSet set = sampler.set();
    return Tree.of(
            "images",
            new Type(DType.U8, set.blockShape()),
            "labels",
            Type.i32(set.blockShape().dim(0)))
        .with("victim", victim.model().types());
  }

  @Override
  public Tree<Tensor> shared(Scope scope) {
    ImageSet set = sampler.set();
    Tensor labels = scope.tensor(Type.i32(set.blockShape().dim(0)));
    // Images of other classes are never looked up.
    labels.set(Arrays.stream(victim.classes().labels()).map(label -> Math.max(label, 0)).toArray());
    return Tree.of(
            "images",
            Tensor.over(scope, new Type(DType.U8, set.blockShape()), set.pixels()),
            "labels",
            labels)
        .with("victim", victim.weights());
  }

  @Override
  public Tree<Type> own() {
    return Tree.of(
        "tuned_on", Type.i32(queries()), "unseen", Type.i32(sampler.ways() * sampler.queries()));
  }

  @Override
  public void fill(long first, Tree<Tensor> problems) {
    Tensor support = problems.get("tuned_on");
    sampler.fill(
        first, support.shape().dim(0), support.segment(), problems.get("unseen").segment());
  }

  @Override
  public Tree<Type> variables() {
    return Tree.of("delta", Type.f32(victim.model().input().dims()));
  }

  @Override
  public Tree<Expr> project(Tree<Expr> variables) {
    return variables.map(perturbation::project);
  }

  @Override
  public Expr loss(Tree<Expr> variables, Part part, Tree<Expr> shared, Tree<Expr> own) {
    Batch<Expr> batch = batch(part, shared, own);
    return perturbation.loss(logits(shared), variables.get("delta"), batch);
  }

  @Override
  public int queries() {
    return sampler.ways() * sampler.shots();
  }

  @Override
  public Tree<Expr> figures(Tree<Expr> variables, Tree<Expr> shared, Tree<Expr> own) {
    Expr delta = variables.get("delta");
    Tree<Expr> figures = Problems.super.figures(variables, shared, own);
    return figures
        .with(
            "success",
            perturbation.success(logits(shared), delta, batch(Part.TUNED_ON, shared, own)))
        .with(
            "success_unseen",
            perturbation.success(logits(shared), delta, batch(Part.UNSEEN, shared, own)))
        .with("l1", delta.abs().sum())
        .with("l2", delta.square().sum().sqrt())
        .with("linf", delta.abs().maxOver(0, 1, 2));
  }

  private UnaryOperator<Expr> logits(Tree<Expr> shared) {
    return x -> victim.model().logits(shared.sub("victim"), x);
  }

  private static Batch<Expr> batch(Part part, Tree<Expr> shared, Tree<Expr> own) {
    Expr which = own.get(part == Part.TUNED_ON ? "tuned_on" : "unseen");
    Expr x = shared.get("images").gather(0, which).cast(DType.F32).div(255);
    return new Batch<>(x, shared.get("labels").gather(0, which));
  }
}
