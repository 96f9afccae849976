package dev.vauban.cli.work;

import dev.vauban.adversarial.Attack;
import dev.vauban.adversarial.Attacks;
import dev.vauban.cli.config.MetaSchedule;
import dev.vauban.cli.config.TrainAttack;
import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.job.Learner;
import dev.vauban.cli.job.Training;
import dev.vauban.meta.MetaLearners;
import dev.vauban.meta.MetaTrainer;
import dev.vauban.meta.Method;
import dev.vauban.meta.Order;
import dev.vauban.nn.Model;
import dev.vauban.nn.Models;
import dev.vauban.nn.Optimizer;
import dev.vauban.nn.Optimizers;
import dev.vauban.nn.Schedule;
import dev.vauban.nn.data.EpisodeSampler;
import dev.vauban.nn.data.ImageSet;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.ShapeException;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;

/**
 * A learner made of the library's parts: the network for the data at hand and the method.
 *
 * @param learner what was asked for
 * @param model the network
 * @param method the meta-learner
 */
record Recipe(Learner learner, Model model, Method method) {

  /**
   * The parts for images of {@code set}.
   *
   * @throws CommandException exit 2, if the network cannot take such images
   */
  static Recipe of(Learner learner, ImageSet set, int ways) {
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
            learner.gamma());
    return new Recipe(
        learner, model, MetaLearners.named(learner.method().label(), model::logits, options));
  }

  private static Attack attack(Learner learner) {
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

  /** Types of the meta-parameters. */
  Tree<Type> theta() {
    return method.training().types(model.types());
  }

  /** Compiles the meta-step and starts at step 0. */
  MetaTrainer trainer(Device device, EpisodeSampler sampler, Training training) {
    try (Scope scope = Scope.open()) {
      return MetaTrainer.compile(
          device,
          method,
          model,
          sampler,
          training.metaBatch(),
          model.init(scope, Stream.WEIGHTS.key(training.seed())),
          optimizer(training),
          Stream.ATTACK.key(training.seed()));
    }
  }

  private static Optimizer optimizer(Training training) {
    Schedule schedule =
        training.schedule() == MetaSchedule.COSINE
            ? Schedule.cosine(training.metaRate(), 0, training.iterations())
            : Schedule.constant(training.metaRate());
    Optimizer adam = Optimizers.adam(schedule);
    return training.clip() > 0 ? adam.clippedByNorm(training.clip()) : adam;
  }
}
