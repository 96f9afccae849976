package dev.vauban.cli.work;

import dev.vauban.cli.job.OuterLoop;
import dev.vauban.cli.job.Session;
import dev.vauban.cli.job.Validations;
import dev.vauban.meta.Evaluation;
import dev.vauban.meta.Evaluator;
import dev.vauban.meta.Protocol;
import dev.vauban.nn.data.EpisodeSampler;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;

/**
 * Accuracy on validation classes while training: clean, and under PGD-10 with the budget of the
 * training attack. Always the same episodes, so that two validations can be compared.
 */
final class Validation implements AutoCloseable {
  private final Evaluator evaluator;
  private final int episodes;
  private final int steps;
  private final double eps;
  private final Key attack;
  private final boolean robust;
  private final Session session;

  /**
   * The result.
   *
   * @param clean accuracy, 0..1
   * @param robust accuracy under attack, 0..1
   * @param score what the best checkpoint is chosen by: the mean of both for a method that trains
   *     against an attack, else the clean accuracy
   */
  record Result(double clean, double robust, double score) {}

  Validation(
      Device device,
      Recipe recipe,
      EpisodeSampler sampler,
      OuterLoop loop,
      Validations how,
      Session session) {
    this.episodes = how.episodes();
    this.steps = how.steps();
    this.eps = recipe.learner().eps();
    this.attack = Stream.VALIDATION_ATTACK.key(loop.seed());
    this.robust = recipe.learner().method().robust();
    this.session = session;
    this.evaluator =
        Evaluator.compile(
            device,
            recipe.method().evaluation(),
            recipe.model(),
            recipe.theta(),
            sampler,
            Protocol.papers()
                .at(steps)
                .inChunksOf(Math.min(episodes, Math.max(8, loop.compute().workers()))));
  }

  /** Validates these meta-parameters; an interrupt ends the validation. */
  Result of(Tree<Tensor> theta, String kept) {
    Evaluation e =
        evaluator.run(theta, episodes, eps, attack, 0, done -> session.interrupt().check(kept));
    double clean = e.clean(steps).mean();
    double attacked = e.robust(steps).mean();
    return new Result(clean, attacked, robust ? (clean + attacked) / 2 : clean);
  }

  @Override
  public void close() {
    evaluator.close();
  }
}
