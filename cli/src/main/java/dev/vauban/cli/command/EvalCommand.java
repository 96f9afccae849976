package dev.vauban.cli.command;

import dev.vauban.cli.config.Base;
import dev.vauban.cli.config.Presets;
import dev.vauban.cli.config.Range;
import dev.vauban.cli.config.Settings.Value;
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
  public Answer run(Session session) {
    models.forEach(ModelPath::require);
    List<Evaluation> evaluations = new ArrayList<>();
    Protocol protocol =
        new Protocol(episodeCount, List.copyOf(fineTuneSteps), work.seed, work.workers, 6);
    for (Path model : models) {
      Evaluation evaluation =
          session
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
      evaluations.add(evaluation);
      if (Files.isDirectory(model)) {
        RunReport.record(model, evaluation);
        session.console().notice("report: " + RunReport.write(List.of(model), null));
      }
    }
    Evaluation all = join(evaluations);
    return Answer.ok(Tables.evaluation(all, session.console().width()), all);
  }

  private static Evaluation join(List<Evaluation> evaluations) {
    Evaluation first = evaluations.get(0);
    return new Evaluation(
        first.eps(), first.attack(), evaluations.stream().flatMap(e -> e.rows().stream()).toList());
  }
}
