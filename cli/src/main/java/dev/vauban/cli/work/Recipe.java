package dev.vauban.cli.work;

import dev.vauban.adversarial.Attack;
import dev.vauban.adversarial.Attacks;
import dev.vauban.cli.config.TrainAttack;
import dev.vauban.cli.config.Views;
import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.job.Learner;
import dev.vauban.cli.job.OuterLoop;
import dev.vauban.meta.EmbeddingTrainer;
import dev.vauban.meta.Learning;
import dev.vauban.meta.MetaLearners;
import dev.vauban.meta.MetaTrainer;
import dev.vauban.meta.Method;
import dev.vauban.meta.Order;
import dev.vauban.meta.TwoOptimizers;
import dev.vauban.nn.InTurn;
import dev.vauban.nn.Layers;
import dev.vauban.nn.Model;
import dev.vauban.nn.Models;
import dev.vauban.nn.Optimizer;
import dev.vauban.nn.Optimizers;
import dev.vauban.nn.Schedule;
import dev.vauban.nn.augment.Augmentation;
import dev.vauban.nn.augment.Augmentations;
import dev.vauban.nn.data.EpisodeSampler;
import dev.vauban.nn.data.ImageSet;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.ShapeException;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A learner made of the library's parts: the network for the data at hand and the method.
 *
 * @param learner what was asked for
 * @param model the network
 * @param method the meta-learner
 */
record Recipe(Learner learner, Model model, Method method) {
  private static final double TEMPERATURE = 0.5;
  private static final double MOMENTUM = 0.9; // and the decay: of RFS
  private static final double DECAY = 5e-4;

  /** The parts for an evaluation, which does not ask how training changes over time. */
  static Recipe of(Learner learner, ImageSet set, int ways) {
    return of(learner, set, ways, 0, 1);
  }

  /** The parts for a loop. */
  static Recipe of(Learner learner, ImageSet set, int ways, OuterLoop loop) {
    return of(learner, set, ways, loop.trainWays(), loop.iterations());
  }

  /**
   * The parts for images of {@code set}.
   *
   * @throws CommandException exit 2, if the network cannot take such images
   */
  private static Recipe of(Learner learner, ImageSet set, int ways, int trainWays, int iterations) {
    Shape image = Shape.of(set.height(), set.width(), set.channels());
    Model model;
    try {
      model = Models.named(modelName(learner), image, ways);
    } catch (ShapeException e) {
      throw CommandException.badInput(
          "--model %s cannot take the %dx%d images of %s: %s"
              .formatted(
                  learner.model().label(), set.height(), set.width(), set.name(), e.getMessage()),
          e);
    }
    MetaLearners.Options options =
        new MetaLearners.Options(
            learner.innerSteps(),
            learner.innerRate(),
            Order.valueOf(learner.order().name()),
            attack(learner),
            learner.gamma(),
            learner.gamma(),
            more(learner, trainWays, iterations));
    return new Recipe(learner, model, MetaLearners.named(learner.method().label(), model, options));
  }

  private static MetaLearners.More more(Learner learner, int trainWays, int iterations) {
    Learner.Details details = learner.details();
    return new MetaLearners.More(
        trainWays,
        iterations,
        details.unlabeled(),
        views(learner),
        details.copies(),
        details.contrast(),
        TEMPERATURE,
        MetaLearners.Regularizer.valueOf(details.regularizer().name()));
  }

  /** The attack in the robust loss. */
  static Attack attack(Learner learner) {
    Attacks.Options options = Attacks.Options.eps(learner.eps());
    return Attacks.named(
        learner.trainAttack().label(),
        learner.trainAttack() == TrainAttack.PGD
            ? options.withSteps(learner.trainAttackSteps())
            : options);
  }

  /** The name under which {@link Models} knows the learner's network. */
  private static String modelName(Learner learner) {
    return switch (learner.model()) {
      case CONV4 -> "conv4-" + learner.filters();
      case CONV4_STRIDED -> "conv4-strided-" + learner.filters();
      case CONV4_RMAML -> "conv4-rmaml-" + learner.filters();
      case CONV4_MINI -> "conv4-mini-" + learner.filters();
      case CONV4_CIFARFS -> "conv4-cifar";
      case RESNET18 -> "resnet18-" + learner.filters();
    };
  }

  /** The augmentation asked for, or null for what suits the images. */
  private static Augmentation views(Learner learner) {
    Views views = learner.details().views();
    return views == Views.SUITED ? null : Augmentations.named(views.label());
  }

  /** Types of the meta-parameters as an evaluation needs them. */
  Tree<Type> theta() {
    return method.evaluation().types(model.types());
  }

  /** The part of a training's weights that an evaluation needs: without a pre-training's head. */
  Tree<Tensor> judged(Tree<Tensor> weights) {
    return learner.method().pretrains() ? Tree.of("body", weights.sub("body")) : weights;
  }

  /** Compiles the step and starts at step 0. */
  Learning learning(Device device, EpisodeSampler sampler, OuterLoop loop) {
    return learner.method().pretrains()
        ? embedding(device, sampler.set(), loop)
        : trainer(device, sampler, loop);
  }

  private EmbeddingTrainer embedding(Device device, ImageSet set, OuterLoop loop) {
    Model whole = pretrained(set);
    Learner.Details details = learner.details();
    Augmentation views = views(learner);
    EmbeddingTrainer.Recipe recipe =
        EmbeddingTrainer.Recipe.of(
            details.batch(), views == null ? Augmentations.suited(model.input()) : views);
    if (learner.method() == dev.vauban.cli.config.Method.RFS_AT) {
      recipe = recipe.against(attack(learner));
    }
    try (Scope scope = Scope.open()) {
      if (details.teacher() != null) {
        recipe = recipe.taughtBy(ModelFile.teacher(details.teacher(), this, whole, scope));
      }
      return EmbeddingTrainer.compile(
          device,
          whole,
          set,
          recipe,
          whole.init(scope, Stream.WEIGHTS.key(loop.seed())),
          optimizer(loop),
          Stream.EPISODES.key(loop.seed()),
          Stream.ATTACK.key(loop.seed()));
    }
  }

  /** The network with a head for all classes of the set. */
  private Model pretrained(ImageSet set) {
    return model.withHead(Layers.linear(set.classCount()));
  }

  private MetaTrainer trainer(Device device, EpisodeSampler sampler, OuterLoop loop) {
    try (Scope scope = Scope.open()) {
      return MetaTrainer.compile(
          device,
          method,
          model,
          sampler,
          loop.metaBatch(),
          model.init(scope, Stream.WEIGHTS.key(loop.seed())),
          optimizer(loop),
          Stream.ATTACK.key(loop.seed()));
    }
  }

  private Optimizer optimizer(OuterLoop loop) {
    if (learner.method().pretrains()) {
      return clipped(Optimizers.momentum(schedule(loop, loop.metaRate()), MOMENTUM, DECAY), loop);
    }
    Optimizer adam = clipped(Optimizers.adam(schedule(loop, loop.metaRate())), loop);
    if (learner.method() != dev.vauban.cli.config.Method.RMAML_DUAL) {
      return adam;
    }
    Schedule slower = schedule(loop, learner.gamma() * loop.metaRate());
    Map<String, Optimizer> each = new LinkedHashMap<>();
    each.put(TwoOptimizers.CLEAN, adam);
    each.put(TwoOptimizers.ROBUST, clipped(Optimizers.adam(slower), loop));
    return new InTurn(each);
  }

  private static Optimizer clipped(Optimizer optimizer, OuterLoop loop) {
    return loop.clip() > 0 ? optimizer.clippedByNorm(loop.clip()) : optimizer;
  }

  private static Schedule schedule(OuterLoop loop, double rate) {
    int n = loop.iterations();
    return switch (loop.schedule()) {
      case CONSTANT -> Schedule.constant(rate);
      case COSINE -> Schedule.cosine(rate, Math.min(rate, loop.lastRate()), n);
      case STEPS -> Schedule.staircase(rate, 0.1, (int) (0.6 * n), (int) (0.8 * n));
    };
  }
}
