package dev.vauban.cli.work;

import dev.vauban.cli.config.AttackName;
import dev.vauban.cli.config.DataSpec;
import dev.vauban.cli.config.MetaSchedule;
import dev.vauban.cli.config.Method;
import dev.vauban.cli.config.Model;
import dev.vauban.cli.config.Objective;
import dev.vauban.cli.config.Order;
import dev.vauban.cli.config.Rotations;
import dev.vauban.cli.config.Split;
import dev.vauban.cli.config.TrainAttack;
import dev.vauban.cli.job.Episodes;
import dev.vauban.cli.job.Evaluation;
import dev.vauban.cli.job.Evaluation.Figures;
import dev.vauban.cli.job.Evaluation.History;
import dev.vauban.cli.job.Evaluation.Row;
import dev.vauban.cli.job.Example;
import dev.vauban.cli.job.Learner;
import dev.vauban.cli.job.OuterLoop;
import dev.vauban.cli.job.Protocol;
import dev.vauban.cli.job.Quickstart;
import dev.vauban.cli.job.Session;
import dev.vauban.cli.job.Threat;
import dev.vauban.cli.job.Validations;
import dev.vauban.cli.progress.Progress;
import dev.vauban.meta.Learning;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The main job on built-in data: meta-trains MAML and R-MAML from the same start on the same
 * episodes, and evaluates both on the same episodes of unseen classes.
 */
final class QuickstartRun {
  private static final Episodes TASKS =
      new Episodes(
          new DataSpec(DataSpec.Kind.GLYPHS, null, 0), Split.VINYALS, Rotations.NONE, 5, 1, 15);
  private static final int FILTERS = 32;
  private static final int INNER_STEPS = 3;
  private static final double INNER_RATE = 0.2;
  private static final int FINE_TUNE_STEPS = 5;
  private static final int META_BATCH = 4;
  private static final double META_RATE = 0.003;
  private static final double LAST_RATE = 0;
  private static final double CLIP = 10;
  private static final int ATTACK_STEPS = 10;
  private static final int VALIDATIONS = 6;
  private static final int VALIDATION_EPISODES = 16;
  private static final Validations VALIDATED =
      new Validations(VALIDATION_EPISODES, FINE_TUNE_STEPS, TASKS.shots());
  private static final int EXAMPLES = 6;

  private final Quickstart job;
  private final Session session;

  QuickstartRun(Quickstart job, Session session) {
    this.job = job;
    this.session = session;
  }

  Evaluation run() {
    try (Device device = job.compute().open();
        DataRoles roles = DataRoles.open(TASKS, DataRoles.Use.VALIDATED, session);
        Scope scope = Scope.open()) {
      Map<Method, Long> nanos = new LinkedHashMap<>();
      Map<Method, Tree<Tensor>> weights = new LinkedHashMap<>();
      List<History> histories = new ArrayList<>();
      for (Method method : List.of(Method.MAML, Method.RMAML_OUT)) {
        long begun = System.nanoTime();
        weights.put(method, train(device, roles, method, histories, scope));
        nanos.put(method, System.nanoTime() - begun);
      }
      return evaluate(device, roles, weights, nanos, histories);
    }
  }

  private Tree<Tensor> train(
      Device device, DataRoles roles, Method method, List<History> histories, Scope scope) {
    Recipe recipe = recipe(method, roles);
    OuterLoop loop = loop();
    TrainingTasks tasks = TrainingTasks.of(roles, TASKS, loop, VALIDATED);
    List<History.Point> points = new ArrayList<>();
    try (Learning trainer = recipe.learning(device, tasks.training(), loop);
        Validation validation =
            new Validation(
                device, recipe, tasks.validation().orElseThrow(), loop, VALIDATED, session);
        Progress progress =
            Progress.start(session.console(), "train " + method, job.iterations(), "it")) {
      while (trainer.number() < job.iterations()) {
        trainer.step();
        progress.at(trainer.number(), Map.of("loss", trainer.loss()));
        session.interrupt().check("quickstart keeps nothing");
        if (validates(trainer.number())) {
          Validation.Result r = validation.of(trainer.weights(), "quickstart keeps nothing");
          points.add(new History.Point(trainer.number(), r.clean(), r.robust()));
        }
      }
      histories.add(new History(method.label(), List.copyOf(points)));
      return scope.copies(trainer.weights());
    }
  }

  /** At about equal distances, and at the end. */
  private boolean validates(long step) {
    return step * VALIDATIONS / job.iterations() > (step - 1) * VALIDATIONS / job.iterations();
  }

  private Evaluation evaluate(
      Device device,
      DataRoles roles,
      Map<Method, Tree<Tensor>> weights,
      Map<Method, Long> nanos,
      List<History> histories) {
    // Both adapt in the same way, so one plan evaluates both.
    Recipe recipe = recipe(Method.MAML, roles);
    List<Row> rows = new ArrayList<>();
    List<Example> examples = new ArrayList<>();
    List<Row> sweep = new ArrayList<>();
    try (EvaluationRun evaluation =
        new EvaluationRun(device, recipe, roles.data(), TASKS, threat(), protocol(), session)) {
      weights.forEach((method, theta) -> {
        Evaluation main = evaluation.of(method.label(), theta);
        for (Row row : main.rows()) {
          rows.add(row.plusSeconds(nanos.get(method) / 1e9));
        }
        examples.addAll(main.figures().examples());
        for (double share : new double[] {0.25, 0.5, 2}) {
          if (share * job.eps() < 1) {
            sweep.addAll(evaluation.at(method.label(), theta, share * job.eps(), sweepOf()));
          }
        }
      });
    }
    return new Evaluation(
        job.eps(),
        AttackName.PGD.label(),
        List.copyOf(rows),
        new Figures(sweep, histories, examples));
  }

  /** The curve over eps is for the eye; a quarter of the episodes is enough for it. */
  private int sweepOf() {
    return Math.max(2, job.episodes() / 4);
  }

  private Recipe recipe(Method method, DataRoles roles) {
    Learner learner =
        new Learner(
            method,
            Model.CONV4_STRIDED,
            FILTERS,
            INNER_STEPS,
            INNER_RATE,
            Order.FIRST,
            1,
            TrainAttack.FGSM_RS,
            1,
            job.eps());
    return Recipe.of(learner, roles.training(), TASKS.ways());
  }

  private OuterLoop loop() {
    return new OuterLoop(
        job.iterations(),
        META_BATCH,
        META_RATE,
        MetaSchedule.COSINE,
        LAST_RATE,
        CLIP,
        TASKS.ways(),
        job.seed(),
        job.compute());
  }

  private Threat threat() {
    return new Threat(AttackName.PGD, Objective.CE, List.of(job.eps()), ATTACK_STEPS, null, 1);
  }

  private Protocol protocol() {
    return new Protocol(
        job.episodes(), List.of(FINE_TUNE_STEPS), job.seed(), job.compute(), EXAMPLES);
  }
}
