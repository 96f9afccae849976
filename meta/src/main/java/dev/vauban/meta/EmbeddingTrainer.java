package dev.vauban.meta;

import dev.vauban.adversarial.AdversarialTraining;
import dev.vauban.adversarial.Attack;
import dev.vauban.nn.Batch;
import dev.vauban.nn.ImageBatches;
import dev.vauban.nn.Loss;
import dev.vauban.nn.Losses;
import dev.vauban.nn.Model;
import dev.vauban.nn.Optimizer;
import dev.vauban.nn.TrainingStep;
import dev.vauban.nn.augment.Augmentation;
import dev.vauban.nn.data.BatchSampler;
import dev.vauban.nn.data.ImageSet;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Grad;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import java.util.Optional;

/**
 * Pre-training of an embedding: one classifier of all training classes, on ordinary batches (RFS,
 * Tian et al. 2020, eq. 2). The body of the network is what {@link LogisticHead} then uses.
 *
 * <p>Variants ({@link Recipe}): a teacher makes it a generation of born-again self-distillation
 * (eq. 5: {@code (1 - share) CE + share T^2 KL(teacher || student)} at temperature T); an attack
 * makes it adversarial training, the "transfer" baseline of adversarial querying.
 *
 * <p>Batches are those of {@link BatchSampler}. A trainer serves one thread.
 */
public final class EmbeddingTrainer implements Learning {
  private final TrainingStep training;

  private EmbeddingTrainer(TrainingStep training) {
    this.training = training;
  }

  @Override
  public TrainingStep training() {
    return training;
  }

  /**
   * How to pre-train.
   *
   * @param batch images of a step, at least 1
   * @param augmentation of every batch
   * @param attack what the images are attacked by; none for clean training
   * @param teacher weights of the generation before, which answers for the same images, attacked
   *     ones too; none for the first generation
   * @param share weight of the teacher, 0 to 1; 0.5 in the paper
   * @param temperature of the teacher's and the student's answers; 4 in the paper
   */
  public record Recipe(
      int batch,
      Augmentation augmentation,
      Optional<Attack> attack,
      Optional<Tree<Tensor>> teacher,
      double share,
      double temperature) {
    /** Checks the ranges. */
    public Recipe {
      if (batch < 1 || !(share >= 0 && share <= 1) || !(temperature > 0)) {
        throw new IllegalArgumentException(
            "pre-training needs a batch of at least 1, a share from 0 to 1 and a temperature above"
                + " 0, not %d, %s, %s".formatted(batch, share, temperature));
      }
    }

    /** Clean training without a teacher. */
    public static Recipe of(int batch, Augmentation augmentation) {
      return new Recipe(batch, augmentation, Optional.empty(), Optional.empty(), 0.5, 4);
    }

    /** This recipe on attacked images. */
    public Recipe against(Attack other) {
      return new Recipe(batch, augmentation, Optional.of(other), teacher, share, temperature);
    }

    /** This recipe with a teacher of the same architecture. */
    public Recipe taughtBy(Tree<Tensor> other) {
      return new Recipe(batch, augmentation, attack, Optional.of(other), share, temperature);
    }
  }

  /**
   * Compiles the step and starts at step 0.
   *
   * @param device where it runs; must stay open
   * @param model the network, with a head for all classes of the set
   * @param set the training classes; must stay open
   * @param recipe how to train; the teacher's weights are copied
   * @param weights initial weights, copied
   * @param order the source of the batches
   * @param key the source of augmentations and attacks
   */
  public static EmbeddingTrainer compile(
      Device device,
      Model model,
      ImageSet set,
      Recipe recipe,
      Tree<Tensor> weights,
      Optimizer optimizer,
      Key order,
      Key key) {
    if (model.outputShape().dim(-1) != set.classCount()) {
      throw new IllegalArgumentException(
          "pre-training on %d classes needs a head for as many, not for %d"
              .formatted(set.classCount(), model.outputShape().dim(-1)));
    }
    Tree<Tensor> constants =
        recipe.teacher().map(t -> Tree.<Tensor>empty().with("teacher", t)).orElse(Tree.empty());
    return new EmbeddingTrainer(
        TrainingStep.compile(
            device,
            (w, in, k) -> slope(model, recipe, w, in, k),
            ImageBatches.of(set, recipe.batch(), order, constants),
            weights,
            optimizer,
            key));
  }

  private static TrainingStep.Slope slope(
      Model model, Recipe recipe, Tree<Expr> weights, Tree<Expr> in, Expr key) {
    Batch<Expr> seen = ImageBatches.batch(in);
    Expr x = recipe.augmentation().apply(seen.x(), key.fold(0));
    Batch<Expr> batch = seen.withX(x).withKey(key.fold(1));
    Loss clean = Loss.crossEntropy(model);
    Grad.Extended g =
        Grad.extended(
            w -> {
              Expr attacked =
                  recipe
                      .attack()
                      .map(a -> new AdversarialTraining(a).images(clean, w, batch))
                      .orElse(x);
              Expr logits = model.logits(w, attacked);
              Expr y = batch.y();
              Expr loss = Losses.crossEntropy(logits, y).mean();
              if (recipe.teacher().isPresent()) {
                Expr taught = model.logits(in.sub("teacher"), attacked).stopGradient();
                loss = distilled(recipe, loss, logits, taught);
              }
              if (recipe.attack().isEmpty()) {
                return new Grad.Outcome(loss, Tree.of("accuracy", Losses.accuracy(logits, y)));
              }
              Expr onClean = Losses.accuracy(model.logits(w, x), y);
              Expr robust = Losses.accuracy(logits, y);
              return new Grad.Outcome(loss, Tree.of("accuracy", onClean, "robustAccuracy", robust));
            },
            weights);
    return new TrainingStep.Slope(g.gradient(), g.extras().with("loss", g.value()));
  }

  /** Eq. 5, with the teacher's answers as targets. */
  private static Expr distilled(Recipe recipe, Expr loss, Expr student, Expr teacher) {
    double t = recipe.temperature();
    Expr divergence = Losses.kl(student.div(t), teacher.div(t)).mean().mul(t * t);
    return loss.mul(1 - recipe.share()).add(divergence.mul(recipe.share()));
  }
}
