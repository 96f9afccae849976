package dev.vauban.cli.work;

import dev.vauban.adversarial.Attack;
import dev.vauban.adversarial.Attacks;
import dev.vauban.cli.config.AttackName;
import dev.vauban.cli.config.Eps;
import dev.vauban.cli.job.Episodes;
import dev.vauban.cli.job.Evaluation;
import dev.vauban.cli.job.Evaluation.Figures;
import dev.vauban.cli.job.Evaluation.Row;
import dev.vauban.cli.job.Example;
import dev.vauban.cli.job.Protocol;
import dev.vauban.cli.job.Session;
import dev.vauban.cli.job.Threat;
import dev.vauban.cli.progress.Progress;
import dev.vauban.meta.Accuracy;
import dev.vauban.meta.Evaluator;
import dev.vauban.nn.data.FewShotData;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import java.util.ArrayList;
import java.util.List;

/**
 * Evaluates meta-parameters by the papers' protocol: clean support, the whole query set as one
 * batch, a fixed list of episodes, white-box attacks on the adapted weights. One compiled plan
 * serves every budget.
 */
final class EvaluationRun implements AutoCloseable {
  private static final int CHUNK = 8;

  private final Evaluator evaluator;
  private final Threat threat;
  private final Protocol protocol;
  private final Session session;
  private final String on;

  /**
   * Compiles.
   *
   * @param data what to evaluate on: {@link FewShotData#evaluation}
   */
  EvaluationRun(
      Device device,
      Recipe recipe,
      FewShotData data,
      Episodes episodes,
      Threat threat,
      Protocol protocol,
      Session session) {
    this.threat = threat;
    this.protocol = protocol;
    this.session = session;
    this.on = DataRoles.evaluatedOn(data);
    List<Integer> steps = protocol.steps().stream().distinct().sorted().toList();
    int chunk = Math.min(protocol.episodes(), Math.max(CHUNK, protocol.workers()));
    this.evaluator =
        Evaluator.compile(
            device,
            recipe.method().evaluation(),
            recipe.model(),
            recipe.theta(),
            DataRoles.sampler(
                data.evaluation(),
                data.test().classCount() > 0 ? "test" : "validation",
                "",
                episodes,
                Stream.EVALUATION_EPISODES.key(protocol.seed())),
            new dev.vauban.meta.Protocol(
                steps, this::attack, dev.vauban.meta.Protocol.Target.ADAPTED, chunk));
  }

  private Attack attack(Expr eps) {
    Attacks.Options options = Attacks.Options.eps(eps).withRestarts(threat.restarts());
    boolean iterative = threat.attack() == AttackName.PGD || threat.attack() == AttackName.PGD_L2;
    if (iterative) {
      options = options.withSteps(threat.steps());
    }
    if (threat.stepSize() != null) {
      options = options.withStep(threat.stepSize());
    }
    return Attacks.named(threat.attack().label(), options);
  }

  /** The rows of one model, one for each budget and number of fine-tune steps, and examples. */
  Evaluation of(String name, Tree<Tensor> theta) {
    List<Row> rows = new ArrayList<>();
    List<Example> examples = new ArrayList<>();
    for (double eps : threat.eps()) {
      int wanted = examples.isEmpty() ? protocol.examples() : 0;
      rows.addAll(at(name, theta, eps, protocol.episodes(), wanted, examples));
    }
    return new Evaluation(
        threat.eps().get(0),
        threat.attack().label(),
        List.copyOf(rows),
        new Figures(List.of(), List.of(), List.copyOf(examples)));
  }

  /** The rows at another budget, on the first of the episodes. */
  List<Row> at(String name, Tree<Tensor> theta, double eps, int episodes) {
    return at(name, theta, eps, episodes, 0, new ArrayList<>());
  }

  private List<Row> at(
      String name,
      Tree<Tensor> theta,
      double eps,
      int episodes,
      int wanted,
      List<Example> examples) {
    long begun = System.nanoTime();
    Key key = Stream.EVALUATION_ATTACK.key(protocol.seed());
    String task = "eval " + name + " " + Eps.format(eps);
    dev.vauban.meta.Evaluation result;
    try (Progress progress = Progress.start(session.console(), task, episodes, "ep")) {
      result =
          evaluator.run(
              theta,
              episodes,
              eps,
              key,
              wanted,
              done -> {
                progress.at(done);
                session.interrupt().check("an evaluation keeps nothing");
              });
    }
    double seconds = (System.nanoTime() - begun) / 1e9;
    result.examples().forEach(e -> examples.add(example(name, eps, e)));
    return result.steps().stream().map(steps -> row(name, result, steps, seconds)).toList();
  }

  private Row row(String name, dev.vauban.meta.Evaluation result, int steps, double seconds) {
    Accuracy clean = result.clean(steps);
    Accuracy robust = result.robust(steps);
    return new Row(
        name,
        result.eps(),
        steps,
        result.episodes(),
        clean.mean(),
        clean.halfWidth(),
        robust.mean(),
        robust.halfWidth(),
        seconds,
        null,
        on);
  }

  private static Example example(String name, double eps, dev.vauban.meta.Evaluation.Example e) {
    return new Example(
        name,
        e.height(),
        e.width(),
        e.channels(),
        e.clean(),
        e.adversarial(),
        e.label(),
        e.cleanPrediction(),
        e.adversarialPrediction(),
        eps);
  }

  @Override
  public void close() {
    evaluator.close();
  }
}
