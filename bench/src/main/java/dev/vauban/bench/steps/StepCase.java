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
 * A meta-step to time: 4 tasks, 5 inner steps.
 *
 * @param name for {@code --only}
 * @param title for tables
 * @param learner a name that {@link MetaLearners} knows
 * @param order of the meta-gradient
 * @param attack on the queries, a name that {@link Attacks} knows, or {@code none}
 * @param image shape of an image
 * @param filters of the max-pooled Conv4
 * @param ways classes of a task
 * @param shots support images of a class
 * @param queries query images of a class
 * @param kernels which kernels it may use
 * @param precision of its large products
 */
public record StepCase(
    String name,
    String title,
    String learner,
    Order order,
    String attack,
    Shape image,
    int filters,
    int ways,
    int shots,
    int queries,
    Choice kernels,
    Precision precision) {
  /** Tasks of a step. */
  public static final int TASKS = 4;

  private static final int QUERIES = 15;
  static final int INNER_STEPS = 5;
  static final double RATE = 0.01;
  static final double EPS = 8 / 255.0;
  private static final Shape SMALL = Shape.of(28, 28, 1);
  private static final Shape MEDIUM = Shape.of(32, 32, 3);
  private static final Shape LARGE = Shape.of(84, 84, 3);

  /** Which kernels a case may use. */
  public enum Choice {
    /** oneDNN's where it is there. */
    BEST,
    /** Those in Java only. */
    JAVA
  }

  /** A case in F32. */
  StepCase(
      String name,
      String title,
      String learner,
      Order order,
      String attack,
      Shape image,
      int filters,
      int ways,
      int shots,
      int queries,
      Choice kernels) {
    this(
        name,
        title,
        learner,
        order,
        attack,
        image,
        filters,
        ways,
        shots,
        queries,
        kernels,
        Precision.F32);
  }

  /** All cases; the first is the one to quote. */
  public static List<StepCase> all() {
    StepCase first =
        plain(
            "maml-28", "MAML second order, Conv4-64, 28x28x1", "maml", Order.SECOND, SMALL, 64, 5);
    StepCase large =
        plain(
            "maml-84", "MAML second order, Conv4-32, 84x84x3", "maml", Order.SECOND, LARGE, 32, 5);
    return List.of(
        first,
        first.inBf16(),
        plain(
            "maml-28-20way",
            "MAML second order, Conv4-64, 28x28x1, 20-way",
            "maml",
            Order.SECOND,
            SMALL,
            64,
            20),
        large,
        large.inBf16(),
        plain(
            "fomaml-28", "MAML first order, Conv4-64, 28x28x1", "maml", Order.FIRST, SMALL, 64, 5),
        plain(
            "fomaml-84", "MAML first order, Conv4-32, 84x84x3", "maml", Order.FIRST, LARGE, 32, 5),
        new StepCase(
            "maml-32-5shot",
            "MAML second order, Conv4-64, 32x32x3, 5-shot",
            "maml",
            Order.SECOND,
            "none",
            MEDIUM,
            64,
            5,
            5,
            QUERIES,
            Choice.BEST),
        plain("anil-28", "ANIL, Conv4-64, 28x28x1", "anil", Order.SECOND, SMALL, 64, 5),
        plain("anil-84", "ANIL, Conv4-32, 84x84x3", "anil", Order.SECOND, LARGE, 32, 5),
        robust("rmaml-fgsm-84", "R-MAML, FGSM on the queries, Conv4-32, 84x84x3", "fgsm"),
        robust("rmaml-pgd-84", "R-MAML, PGD-10 on the queries, Conv4-32, 84x84x3", "pgd-10"),
        new StepCase(
            "maml-28-java",
            "MAML second order, Conv4-64, 28x28x1, Java kernels only",
            "maml",
            Order.SECOND,
            "none",
            SMALL,
            64,
            5,
            1,
            QUERIES,
            Choice.JAVA));
  }

  private static StepCase plain(
      String name, String title, String learner, Order order, Shape image, int filters, int ways) {
    return new StepCase(
        name, title, learner, order, "none", image, filters, ways, 1, QUERIES, Choice.BEST);
  }

  private static StepCase robust(String name, String title, String attack) {
    return new StepCase(
        name, title, "rmaml-out", Order.SECOND, attack, LARGE, 32, 5, 1, QUERIES, Choice.BEST);
  }

  /**
   * The same program with so few activations that hardly one of them lies where rounding decides
   * which branch it takes: images of 16x16, 8 filters (in bf16 16, or nothing would be rounded),
   * one query of a class.
   */
  public StepCase small() {
    Shape few = Shape.of(16, 16, image.dim(2));
    return new StepCase(
        name + "-small",
        title,
        learner,
        order,
        attack,
        few,
        precision == Precision.F32 ? 8 : 16,
        ways,
        1,
        1,
        kernels,
        precision);
  }

  private StepCase inBf16() {
    return new StepCase(
            name + "-bf16",
            title + ", bf16",
            learner,
            order,
            attack,
            image,
            filters,
            ways,
            shots,
            queries,
            kernels)
        .in(Precision.BF16);
  }

  /** The same in another precision. */
  public StepCase in(Precision other) {
    return new StepCase(
        name, title, learner, order, attack, image, filters, ways, shots, queries, kernels, other);
  }

  Model model() {
    return Conv4.maxPooled(image, filters, ways);
  }

  Method method(Model model) {
    MetaLearners.Options options =
        new MetaLearners.Options(INNER_STEPS, RATE, order, named(), 1, 1);
    return MetaLearners.named(learner, model::logits, options);
  }

  /** The attack of the case's name. */
  Attack named() {
    return Attacks.named(attack, Attacks.Options.eps(EPS));
  }
}
