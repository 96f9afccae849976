package dev.vauban.cli.tuning;

import dev.vauban.cli.job.Session;
import dev.vauban.cli.job.TunerTest;
import dev.vauban.cli.job.UniversalEvaluation;
import dev.vauban.cli.job.UniversalEvaluation.Kind;
import dev.vauban.cli.job.UniversalEvaluation.Perturbation;
import dev.vauban.cli.job.UniversalEvaluation.Row;
import dev.vauban.meta.TrainedClassifier;
import dev.vauban.meta.tuning.Gradients;
import dev.vauban.meta.tuning.TunerTrainer;
import dev.vauban.meta.tuning.UniversalAttack;
import dev.vauban.meta.tuning.Unroll;
import dev.vauban.nn.Optimizers;
import dev.vauban.nn.Tuner;
import dev.vauban.nn.Weight;
import dev.vauban.tensor.DType;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import java.util.ArrayList;
import java.util.List;

/** A learned tuner on the test tasks of one source, beside its rivals. */
final class TunerComparisonRun {
  /** Steps after which a MAML start is judged, and its meta-rate in units of the pixel range. */
  private static final int MAML_STEPS = 5;

  private static final double MAML_RATE = 0.01;
  private static final int MAML_TASKS = 8;

  private final Device device;
  private final Tuner tuner;
  private final Tree<Tensor> weights;
  private final Gradients gradients;
  private final TunerTest how;
  private final Session session;

  TunerComparisonRun(
      Device device,
      Tuner tuner,
      Tree<Tensor> weights,
      Gradients gradients,
      TunerTest how,
      Session session) {
    this.device = device;
    this.tuner = tuner;
    this.weights = weights;
    this.gradients = gradients;
    this.how = how;
    this.session = session;
  }

  UniversalEvaluation of(AttackSource source) {
    session.console().notice("testing on " + source.name());
    UniversalAttack unseen = source.test(Purpose.TEST_TASKS.key(how.seed()));
    UniversalAttack training = source.training(Purpose.CHOICE_TASKS.key(how.seed()));
    Key directions = Purpose.TEST.key(how.seed());
    Trial.Ground test =
        new Trial.Ground(device, unseen, 0, how.tasks(), gradients, directions.fold(0));
    Trial.Ground choice =
        new Trial.Ground(device, training, 0, how.choiceTasks(), gradients, directions.fold(1));
    Rivals rivals = new Rivals(choice, test, how, session);
    List<Row> rows = new ArrayList<>();
    List<Perturbation> shown = new ArrayList<>();
    Trial learned = test.of(tuner, weights, how.steps());
    rows.add(new Row("learned", Kind.LEARNED, "", rivals.points(learned)));
    shown.addAll(perturbations("learned", unseen, learned.deltas()));
    if (how.rivals() == TunerTest.Rivals.ALL) {
      add(rows, shown, rivals, source, choice, test);
    }
    return new UniversalEvaluation(
        source.name(),
        source.source().data().toString(),
        source.source().eps(),
        source.victim().accuracy(),
        how.tasks(),
        unseen.queries(),
        gradients.toString(),
        rows,
        shown);
  }

  private void add(
      List<Row> rows,
      List<Perturbation> shown,
      Rivals rivals,
      AttackSource source,
      Trial.Ground choice,
      Trial.Ground test) {
    Rivals.Result best = null;
    double sgd = 1;
    double sign = 0.01;
    for (Rivals.Designed designed : Rivals.designed(gradients)) {
      session.console().notice(source.name() + ": " + designed.name());
      Rivals.Result result = rivals.test(designed);
      rows.add(result.row());
      sgd =
          designed.name().endsWith("SGD") && !designed.name().contains("sign")
              ? result.rate()
              : sgd;
      sign = designed.name().contains("sign") ? result.rate() : sign;
      best = best == null || end(result) > end(best) ? result : best;
    }
    shown.addAll(perturbations(best.row().tuner(), test.problems(), best.trial().deltas()));
    if (how.mamlIterations() > 0) {
      session.console().notice(source.name() + ": a MAML start");
      rows.add(mamlStart(rivals, source, sgd, test));
    }
    rows.add(
        rivals.transferred("the learned tuner", choice.of(tuner, weights, how.steps()).deltas()));
    rows.add(rivals.manyImages(source, sign, Purpose.MANY_IMAGES.key(how.seed())));
    rows.add(rivals.deepFool(source));
    rows.addAll(rivals.controls(Purpose.PATTERNS.key(how.seed())));
  }

  private static double end(Rivals.Result result) {
    return result.row().points().getLast().unseen();
  }

  /**
   * A start learned on training tasks of this very source, whose shape it therefore has, tuned by
   * SGD.
   */
  private Row mamlStart(Rivals rivals, AttackSource source, double rate, Trial.Ground test) {
    UniversalAttack tasks = source.training(Purpose.TRAINING_TASKS.key(how.seed()));
    Tuner maml = Tuner.startingWell(tasks.variables(), Optimizers.sgd(rate));
    try (Scope scope = Scope.open();
        TunerTrainer trainer =
            TunerTrainer.compile(
                device,
                maml,
                List.of(tasks),
                MAML_TASKS,
                Unroll.of(MAML_STEPS, 1),
                gradients,
                Weight.init(maml.weights(), scope, Purpose.WEIGHTS.key(how.seed())),
                Optimizers.adam(MAML_RATE),
                Purpose.TRAINING.key(how.seed()))) {
      while (trainer.number() < how.mamlIterations()) {
        trainer.step();
        session.interrupt().check("nothing was written");
      }
      Trial trial = test.of(maml, trainer.weights(), how.steps());
      return new Row(
          "MAML start + SGD",
          Kind.LEARNED,
          "%d meta-steps of %d tasks of this source, %d steps of SGD %s"
              .formatted(how.mamlIterations(), MAML_TASKS, MAML_STEPS, rate),
          rivals.points(trial));
    }
  }

  /** What the victim answers to the first unseen image of each of the first tasks. */
  private List<Perturbation> perturbations(
      String name, UniversalAttack problems, List<float[]> deltas) {
    TrainedClassifier victim = problems.victim();
    int[] shape = victim.model().input().dims();
    int size = shape[0] * shape[1] * shape[2];
    int count = Math.min(how.pictures(), deltas.size());
    if (count == 0) {
      return List.of();
    }
    int[] truth = victim.classes().labels();
    List<Perturbation> all = new ArrayList<>();
    Type batch = new Type(DType.F32, victim.model().input().prepend(2));
    Program program =
        Program.trace(
            Tree.of("images", batch).with("weights", victim.model().types()),
            in ->
                Tree.of(
                    "class",
                    victim.model().logits(in.sub("weights"), in.get("images")).argMax(-1)));
    try (Scope scope = Scope.open();
        Plan plan = device.compile(program)) {
      Tensor images = scope.tensor(batch);
      Tree<Tensor> answers = scope.tensors(program.outputs());
      Plan.Bound bound =
          plan.bind(Tree.of("images", images).with("weights", victim.weights()), answers);
      for (int t = 0; t < count; t++) {
        int at = problems.sampler().episode(t).query()[0];
        float[] clean = AttackSource.pixels(victim.classes(), at);
        for (int i = 0; i < size; i++) {
          images.set(i, clean[i]);
          images.set(size + i, Math.min(1, Math.max(0, clean[i] + deltas.get(t)[i])));
        }
        bound.run();
        all.add(
            new Perturbation(
                name,
                shape[0],
                shape[1],
                shape[2],
                deltas.get(t),
                clean,
                truth[at],
                (int) answers.get("class").get(0),
                (int) answers.get("class").get(1)));
      }
    }
    return all;
  }
}
