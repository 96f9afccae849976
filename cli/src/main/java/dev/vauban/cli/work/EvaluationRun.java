package dev.vauban.cli.work;

import dev.vauban.adversarial.Attack;
import dev.vauban.adversarial.Attacks;
import dev.vauban.cli.config.Eps;
import dev.vauban.cli.config.Objective;
import dev.vauban.cli.config.SupportImages;
import dev.vauban.cli.failure.CommandException;
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
import dev.vauban.meta.IntrinsicDimension;
import dev.vauban.meta.InvertedInputs;
import dev.vauban.meta.LinearEvaluation;
import dev.vauban.meta.Protocol.Support;
import dev.vauban.nn.data.EpisodeSampler;
import dev.vauban.nn.data.FewShotData;
import dev.vauban.nn.data.ImageSet;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Evaluates meta-parameters by the papers' protocol: clean support, the whole query set as one
 * batch, a fixed list of episodes, white-box attacks on the adapted weights. One compiled plan
 * serves every budget.
 */
final class EvaluationRun implements AutoCloseable {
  private static final int CHUNK = 8;
  private static final int LEAST_WAYS = 3; // of the dlr loss
  private static final int LINEAR_BATCH = 50;
  private static final int LINEAR_STEPS = 500;
  private static final double LINEAR_RATE = 0.01;

  private final Device device;
  private final Recipe recipe;
  private final Map<Support, Evaluator> evaluators = new EnumMap<>(Support.class);
  private final Threat threat;
  private final Protocol protocol;
  private final Session session;
  private final String on;
  private final ImageSet images;

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
    this.device = device;
    this.recipe = recipe;
    this.threat = threat;
    this.protocol = protocol;
    this.session = session;
    this.on = DataRoles.evaluatedOn(data);
    this.images = data.evaluation();
    if (threat.objective() == Objective.DLR && episodes.ways() < LEAST_WAYS) {
      throw CommandException.badInput(
          "--attack-loss dlr compares three logits, so it needs at least 3 ways, not "
              + episodes.ways()
              + "; use --attack-loss ce");
    }
    List<Integer> steps = protocol.steps().stream().distinct().sorted().toList();
    int chunk = Math.min(protocol.episodes(), Math.max(CHUNK, protocol.compute().workers()));
    EpisodeSampler sampler =
        DataRoles.sampler(
            data.evaluation(),
            data.test().classCount() > 0 ? "test" : "validation",
            "",
            episodes,
            Stream.EVALUATION_EPISODES.key(protocol.seed()));
    for (Support support : supports(protocol.support())) {
      evaluators.put(
          support,
          Evaluator.compile(
              device,
              recipe.method().evaluation(),
              recipe.model(),
              recipe.theta(),
              sampler,
              new dev.vauban.meta.Protocol(
                  steps,
                  this::attack,
                  threat.objective().loss(),
                  dev.vauban.meta.Protocol.Target.ADAPTED,
                  support,
                  chunk)));
    }
  }

  private static List<Support> supports(SupportImages which) {
    return switch (which) {
      case CLEAN -> List.of(Support.CLEAN);
      case ATTACKED -> List.of(Support.ATTACKED);
      case BOTH -> List.of(Support.CLEAN, Support.ATTACKED);
    };
  }

  private Attack attack(Expr eps) {
    Attacks.Options options = Attacks.Options.eps(eps).withRestarts(threat.restarts());
    if (threat.attack().iterative()) {
      options = options.withSteps(threat.steps());
    }
    if (threat.stepSize() != null) {
      options = options.withStep(threat.stepSize());
    }
    return Attacks.named(threat.attack().label(), options);
  }

  /** The rows of one model, one for each budget and number of fine-tune steps, and figures. */
  Evaluation of(String name, Tree<Tensor> theta) {
    List<Row> rows = new ArrayList<>();
    List<dev.vauban.meta.Evaluation.Example> seen = new ArrayList<>();
    for (Support support : evaluators.keySet()) {
      for (double eps : threat.eps()) {
        int wanted = seen.isEmpty() ? Math.max(protocol.examples(), protocol.dimension()) : 0;
        rows.addAll(at(name, theta, eps, protocol.episodes(), support, wanted, seen));
      }
    }
    double eps = threat.eps().get(0);
    List<Example> examples =
        seen.stream().limit(protocol.examples()).map(e -> example(name, eps, e)).toList();
    return new Evaluation(
        eps,
        threat.label(),
        List.copyOf(rows),
        protocol.dimension() == 0 ? List.of() : List.of(dimension(name, theta, seen)),
        protocol.linear() == 0 ? List.of() : List.of(linear(name, theta, eps)),
        new Figures(List.of(), List.of(), examples, neurons(name, theta)));
  }

  /** The rows at another budget, on the first of the episodes. */
  List<Row> at(String name, Tree<Tensor> theta, double eps, int episodes) {
    Support support = evaluators.keySet().iterator().next();
    return at(name, theta, eps, episodes, support, 0, new ArrayList<>());
  }

  private List<Row> at(
      String name,
      Tree<Tensor> theta,
      double eps,
      int episodes,
      Support support,
      int wanted,
      List<dev.vauban.meta.Evaluation.Example> seen) {
    long begun = System.nanoTime();
    Key key = Stream.EVALUATION_ATTACK.key(protocol.seed());
    String task = "eval " + name + " " + Eps.format(eps);
    dev.vauban.meta.Evaluation result;
    try (Progress progress = Progress.start(session.console(), task, episodes, "ep")) {
      result =
          evaluators
              .get(support)
              .run(
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
    seen.addAll(result.examples());
    return result.steps().stream().map(k -> row(name, result, k, support, seconds)).toList();
  }

  private Evaluation.Dimension dimension(
      String name, Tree<Tensor> theta, List<dev.vauban.meta.Evaluation.Example> seen) {
    List<dev.vauban.meta.Evaluation.Example> some =
        seen.subList(0, Math.min(seen.size(), protocol.dimension()));
    IntrinsicDimension clean = of(theta, some.stream().map(e -> e.clean()).toList());
    IntrinsicDimension attacked = of(theta, some.stream().map(e -> e.adversarial()).toList());
    return new Evaluation.Dimension(
        name,
        some.size(),
        clean.id90(),
        clean.effectiveRank(),
        attacked.id90(),
        attacked.effectiveRank(),
        null);
  }

  private IntrinsicDimension of(Tree<Tensor> theta, List<float[]> images) {
    return IntrinsicDimension.of(
        device, recipe.method().evaluation(), recipe.model(), theta, images);
  }

  private Evaluation.Linear linear(String name, Tree<Tensor> theta, double eps) {
    int classes = Math.min(protocol.linear(), images.classCount());
    int judged = classes * Math.max(1, images.leastImages() / 4);
    LinearEvaluation found =
        LinearEvaluation.of(
            device,
            recipe.method().evaluation(),
            recipe.model(),
            theta,
            images,
            new LinearEvaluation.Setting(
                classes,
                Math.min(LINEAR_BATCH, judged),
                LINEAR_STEPS,
                LINEAR_RATE,
                Recipe.attack(recipe.learner()),
                attack(Expr.scalar(eps)),
                threat.objective().loss()),
            Stream.LINEAR.key(protocol.seed()));
    return new Evaluation.Linear(
        name, classes, found.images(), found.clean(), found.robust(), null);
  }

  private List<Evaluation.Neuron> neurons(String name, Tree<Tensor> theta) {
    if (protocol.neurons() == 0) {
      return List.of();
    }
    InvertedInputs found =
        InvertedInputs.of(
            device,
            recipe.method().evaluation(),
            recipe.model(),
            theta,
            protocol.neurons(),
            InvertedInputs.Ascent.RELEASED,
            Stream.INVERSION.key(protocol.seed()));
    Shape image = recipe.model().input();
    List<Evaluation.Neuron> neurons = new ArrayList<>();
    for (int i = 0; i < found.neurons().size(); i++) {
      neurons.add(
          new Evaluation.Neuron(
              name,
              found.neurons().get(i),
              image.dim(0),
              image.dim(1),
              image.dim(2),
              found.images().get(i),
              found.change().get(i),
              found.lowShare()[i]));
    }
    return List.copyOf(neurons);
  }

  private Row row(
      String name, dev.vauban.meta.Evaluation result, int steps, Support support, double seconds) {
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
        on,
        support == Support.ATTACKED ? SupportImages.ATTACKED.label() : null);
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
    evaluators.values().forEach(Evaluator::close);
  }
}
