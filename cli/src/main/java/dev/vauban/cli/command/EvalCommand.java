package dev.vauban.cli.command;

import dev.vauban.cli.config.Base;
import dev.vauban.cli.config.Presets;
import dev.vauban.cli.config.Range;
import dev.vauban.cli.config.Settings.Value;
import dev.vauban.cli.config.SupportImages;
import dev.vauban.cli.failure.ExitCode;
import dev.vauban.cli.failure.Failure;
import dev.vauban.cli.job.Answer;
import dev.vauban.cli.job.Evaluation;
import dev.vauban.cli.job.Protocol;
import dev.vauban.cli.job.Session;
import dev.vauban.cli.report.RunReport;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code vauban eval}: accuracy on unseen classes, clean and under attack. */
@CommandLine.Command(
    name = "eval",
    description = {
      "Evaluate a model on unseen classes, clean and under attack.",
      "The network and its adaptation are the run's own; data, split, rotations, ways, shots,"
          + " queries and eps default to what the (first) run was trained with.",
      "The seed is the evaluation's own: all models meet the same episodes and attacks."
    },
    footer = {"", "Example:", "  vauban eval runs/a --attack pgd --eps 4/255,8/255 --episodes 600"})
public final class EvalCommand implements Command, Base, Presets {
  private static final int EXAMPLES = 6; // attacked images for the report

  @Parameters(
      arity = "1..*",
      paramLabel = "MODEL",
      description = "run directories or .safetensors files")
  List<Path> models;

  @Mixin ThreatOptions threat;

  @Range(min = 2, max = 1_000_000)
  @Option(
      names = "--episodes",
      paramLabel = "N",
      defaultValue = "600",
      description = "tasks, the same for every model (default: ${DEFAULT-VALUE})")
  int episodeCount;

  @Range(min = 0, max = 1000)
  @Option(
      names = "--fine-tune-steps",
      paramLabel = "N",
      split = ",",
      defaultValue = "10",
      description =
          "numbers of adaptation steps to report, with commas (default: ${DEFAULT-VALUE})")
  List<Integer> fineTuneSteps;

  @Option(
      names = "--support",
      paramLabel = "WHICH",
      defaultValue = "clean",
      description =
          "support images to fine-tune on: ${COMPLETION-CANDIDATES}; attacked ones are attacked at"
              + " every step like the queries (default: ${DEFAULT-VALUE})")
  SupportImages support;

  @Range(min = 0, max = 100_000)
  @Option(
      names = "--dimension",
      paramLabel = "N",
      defaultValue = "0",
      description =
          "also measure the intrinsic dimension of the features of N queries, clean and attacked"
              + " (default: ${DEFAULT-VALUE}, not)")
  int dimension;

  @Range(min = 0, max = 100_000)
  @Option(
      names = "--linear",
      paramLabel = "N",
      defaultValue = "0",
      description =
          "also freeze the encoder, train a linear classifier of N classes of the evaluation data"
              + " against the training attack, and judge it on their other images (default:"
              + " ${DEFAULT-VALUE}, not)")
  int linear;

  @Range(min = 0, max = 1000)
  @Option(
      names = "--neurons",
      paramLabel = "N",
      defaultValue = "0",
      description =
          "also put inputs that maximise N of the features into the report (default:"
              + " ${DEFAULT-VALUE})")
  int neurons;

  @Mixin EpisodeOptions episodes;
  @Mixin WorkOptions work;
  @Mixin ConfigOptions config;

  @Override
  public Optional<Inherited> base() {
    return models == null ? Optional.empty() : ModelPath.settings(models.get(0));
  }

  @Override
  public Map<String, Value> presets() {
    return LearnerOptions.suitedTo(episodes.data);
  }

  @Override
  public Stop stop() {
    return Stop.AT_SAFE_POINT;
  }

  @Override
  public Answer run(Session session) {
    models.forEach(ModelPath::require);
    List<Evaluation> done = new ArrayList<>();
    ExitCode code = ExitCode.OK;
    for (int m = 0; m < models.size() && done.size() == m; m++) {
      ExitCode ended = add(models.get(m), done, session);
      code = ended == ExitCode.OK ? code : ended;
    }
    Evaluation all = join(done);
    return new Answer(code, Tables.evaluation(all, session.console().width()), all);
  }

  /**
   * Evaluates one more model. If that fails, the reason is said, and the models before it are
   * answered for; only the first one's failure ends the command.
   */
  private ExitCode add(Path model, List<Evaluation> done, Session session) {
    try {
      done.add(evaluate(model, session));
    } catch (RuntimeException e) {
      Failure failure = Failure.of(e);
      if (done.isEmpty() || failure.code() == ExitCode.BUG) {
        throw e;
      }
      session.console().error(failure.sentence());
      return failure.code();
    }
    return Files.isDirectory(model)
        ? session.keep(() -> record(model, done.getLast(), session))
        : ExitCode.OK;
  }

  private Evaluation evaluate(Path model, Session session) {
    Protocol protocol =
        new Protocol(
            episodeCount,
            List.copyOf(fineTuneSteps),
            work.seed,
            work.compute(),
            EXAMPLES,
            support,
            dimension,
            linear,
            neurons);
    return session
        .jobs()
        .get()
        .eval(
            model,
            ModelPath.learner(model),
            episodes.episodes(),
            threat.threat(),
            protocol,
            session)
        .of(model.toString());
  }

  private static void record(Path run, Evaluation evaluation, Session session) {
    RunReport.record(run, evaluation);
    session.console().notice("report: " + RunReport.write(List.of(run), null));
  }

  private static Evaluation join(List<Evaluation> evaluations) {
    Evaluation first = evaluations.get(0);
    return new Evaluation(
        first.eps(),
        first.attack(),
        evaluations.stream().flatMap(e -> e.rows().stream()).toList(),
        evaluations.stream().flatMap(e -> e.dimensions().stream()).toList(),
        evaluations.stream().flatMap(e -> e.linear().stream()).toList(),
        Evaluation.Figures.NONE);
  }
}
