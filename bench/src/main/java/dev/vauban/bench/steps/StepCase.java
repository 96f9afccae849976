package dev.vauban.bench.steps;

import dev.vauban.adversarial.Attack;
import dev.vauban.adversarial.Attacks;
import dev.vauban.meta.MetaLearners;
import dev.vauban.meta.Method;
import dev.vauban.meta.Order;
import dev.vauban.nn.Conv4;
import dev.vauban.nn.Model;
import dev.vauban.tensor.Precision;
import dev.vauban.tensor.Shape;
import java.util.List;

/**
 * A meta-step to time.
 *
 * @param name for {@code --only}
 * @param title for tables
 * @param learner a name that {@link MetaLearners} knows
 * @param order of the meta-gradient
 * @param innerSteps of adaptation
 * @param attack on the queries, a name that {@link Attacks} knows, or {@code none}
 * @param image shape of an image
 * @param filters of the max-pooled Conv4
 * @param batch its tasks
 * @param kernels which kernels it may use
 * @param precision of its large products
 */
public record StepCase(
    String name,
    String title,
    String learner,
    Order order,
    int innerSteps,
    String attack,
    Shape image,
    int filters,
    Tasks batch,
    Choice kernels,
    Precision precision)
    implements BenchCase {
  static final double RATE = 0.01;
  static final double EPS = 8 / 255.0;
  private static final int INNER_STEPS = 5;
  private static final Tasks ONE_SHOT = new Tasks(4, 5, 1, 15);
  private static final Shape SMALL = Shape.of(28, 28, 1);
  private static final Shape MEDIUM = Shape.of(32, 32, 3);
  private static final Shape LARGE = Shape.of(84, 84, 3);

  /**
   * The tasks of a step.
   *
   * @param tasks how many
   * @param ways classes of a task
   * @param shots support images of a class
   * @param queries query images of a class
   */
  public record Tasks(int tasks, int ways, int shots, int queries) {}

  /** Which kernels a case may use. */
  public enum Choice {
    /** oneDNN's where it is there. */
    BEST,
    /** Those in Java only. */
    JAVA
  }

  /** All cases; the first is the one to quote. */
  public static List<StepCase> all() {
    StepCase maml28 = maml("maml-28", "MAML second order, Conv4-64, 28x28x1", SMALL, 64);
    StepCase maml32 =
        maml("maml-32-5shot", "MAML second order, Conv4-64, 32x32x3, 5-shot", MEDIUM, 64)
            .with(new Tasks(4, 5, 5, 15));
    StepCase first28 =
        maml("fomaml-28", "MAML first order, Conv4-64, 28x28x1", SMALL, 64).with(Order.FIRST);
    StepCase anil28 = maml("anil-28", "ANIL, Conv4-64, 28x28x1", SMALL, 64).by("anil");
    StepCase pgd84 =
        maml("rmaml-pgd-84", "R-MAML, PGD-10 on the queries, Conv4-32, 84x84x3", LARGE, 32)
            .by("rmaml-out")
            .against("pgd-10");
    return List.of(
        maml28,
        maml("maml-28-20way", "MAML second order, Conv4-64, 28x28x1, 20-way", SMALL, 64)
            .with(new Tasks(4, 20, 1, 15)),
        maml("maml-84", "MAML second order, Conv4-32, 84x84x3", LARGE, 32),
        first28,
        maml("fomaml-84", "MAML first order, Conv4-32, 84x84x3", LARGE, 32).with(Order.FIRST),
        maml32,
        anil28,
        maml("anil-84", "ANIL, Conv4-32, 84x84x3", LARGE, 32).by("anil"),
        maml("rmaml-fgsm-84", "R-MAML, FGSM on the queries, Conv4-32, 84x84x3", LARGE, 32)
            .by("rmaml-out")
            .against("fgsm"),
        pgd84,
        maml("maml-28-java", "MAML second order, Conv4-64, 28x28x1, Java kernels only", SMALL, 64)
            .with(Choice.JAVA));
  }

  /**
   * The case of this name.
   *
   * @throws java.util.NoSuchElementException if there is none
   */
  public static StepCase of(String name) {
    return all().stream().filter(c -> c.name().equals(name)).findFirst().orElseThrow();
  }

  private static StepCase maml(String name, String title, Shape image, int filters) {
    return new StepCase(
        name,
        title,
        "maml",
        Order.SECOND,
        INNER_STEPS,
        "none",
        image,
        filters,
        ONE_SHOT,
        Choice.BEST,
        Precision.F32);
  }

  /** The same step by another learner. */
  public StepCase by(String other) {
    return new StepCase(
        name, title, other, order, innerSteps, attack, image, filters, batch, kernels, precision);
  }

  private StepCase with(Order other) {
    return new StepCase(
        name, title, learner, other, innerSteps, attack, image, filters, batch, kernels, precision);
  }

  private StepCase with(Choice other) {
    return new StepCase(
        name, title, learner, order, innerSteps, attack, image, filters, batch, other, precision);
  }

  @Override
  public StepCase in(Precision other) {
    return new StepCase(
        name, title, learner, order, innerSteps, attack, image, filters, batch, kernels, other);
  }

  /** The same step of other tasks. */
  public StepCase with(Tasks other) {
    return new StepCase(
        name, title, learner, order, innerSteps, attack, image, filters, other, kernels, precision);
  }

  /** The same step with more or fewer steps of adaptation. */
  public StepCase adapting(int steps) {
    return new StepCase(
        name, title, learner, order, steps, attack, image, filters, batch, kernels, precision);
  }

  /** The same step with another attack on the queries. */
  public StepCase against(String other) {
    return new StepCase(
        name, title, learner, order, innerSteps, other, image, filters, batch, kernels, precision);
  }

  /**
   * Images of 16x16, one query of a class, 16 filters, which Winograd's tiles take; 8 under attack
   * in F32: a sign hangs on more roundings than a ReLU.
   */
  @Override
  public StepCase small() {
    Shape few = Shape.of(16, 16, image.dim(2));
    boolean signs = !attack.equals("none") && precision == Precision.F32;
    return new StepCase(
        name + "-small",
        title,
        learner,
        order,
        innerSteps,
        attack,
        few,
        signs ? 8 : 16,
        new Tasks(batch.tasks(), batch.ways(), 1, 1),
        kernels,
        precision);
  }

  @Override
  public StepCase trial() {
    return this;
  }

  @Override
  public BoundStep bind(int threads) {
    return new BoundStep(this, threads);
  }

  Model model() {
    return Conv4.maxPooled(image, filters, batch.ways());
  }

  Method method(Model model) {
    MetaLearners.Options options = new MetaLearners.Options(innerSteps, RATE, order, named(), 1, 1);
    return MetaLearners.named(learner, model::logits, options);
  }

  /** The attack of the case's name. */
  Attack named() {
    return Attacks.named(attack, Attacks.Options.eps(EPS));
  }
}
