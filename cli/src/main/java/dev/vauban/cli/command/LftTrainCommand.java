package dev.vauban.cli.command;

import dev.vauban.cli.config.Base;
import dev.vauban.cli.config.Presets;
import dev.vauban.cli.config.Range;
import dev.vauban.cli.config.Settings.Value;
import dev.vauban.cli.job.Answer;
import dev.vauban.cli.job.Session;
import dev.vauban.cli.job.TunerResult;
import dev.vauban.cli.job.TunerTraining;
import dev.vauban.cli.terminal.TextTable;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code vauban lft train}: meta-trains a tuner into a run directory. */
@CommandLine.Command(
    name = "train",
    description = "Meta-train a learned fine-tuner on few-shot universal attacks.",
    footer = {
      "",
      "Example:",
      "  vauban lft train --data mnist:data/mnist,cifarfs:data/cifar-fs --eps 0.15,8/255 \\",
      "    --out runs/lft"
    })
public final class LftTrainCommand implements Command, Base, Presets {
  @Mixin UniversalOptions universal;
  @Mixin TaskOptions task;
  @Mixin TunerOptions tuner;

  @Range(min = 1)
  @Option(
      names = "--iterations",
      paramLabel = "N",
      defaultValue = "120",
      description = "meta-steps (default: ${DEFAULT-VALUE})")
  int iterations;

  @Range(min = 1, max = 4096)
  @Option(
      names = "--tasks",
      paramLabel = "N",
      defaultValue = "8",
      description = "tasks of each source in a meta-step (default: ${DEFAULT-VALUE})")
  int tasks;

  @Range(above = 0, max = 10)
  @Option(
      names = "--meta-rate",
      paramLabel = "RATE",
      defaultValue = "0.003",
      description = "Adam's step size (default: ${DEFAULT-VALUE})")
  double metaRate;

  @Range(min = 0)
  @Option(
      names = "--clip",
      paramLabel = "NORM",
      defaultValue = "1",
      description =
          "largest norm of the meta-gradient; 0 for no clipping (default: ${DEFAULT-VALUE})")
  double clip;

  @Mixin PaceOptions pace;
  @Mixin WorkOptions work;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "run directory, new or empty (default: runs/lft-SOURCES)")
  Path out;

  @Option(
      names = "--resume",
      description = "continue the run in --out from its latest checkpoint, bit for bit")
  boolean resume;

  @Mixin ConfigOptions config;

  @Override
  public Optional<Inherited> base() {
    if (!resume) {
      return Optional.empty();
    }
    Path folder = Optional.ofNullable(out).orElseGet(() -> Path.of(defaultOut()));
    return RunOpening.inherited(folder, config);
  }

  @Override
  public Map<String, Value> presets() {
    return Map.of("out", new Value(defaultOut(), "default"));
  }

  private String defaultOut() {
    return universal.data.stream()
        .map(d -> d.kind().label())
        .collect(Collectors.joining("-", "runs/lft-", ""));
  }

  @Override
  public Stop stop() {
    return Stop.AT_SAFE_POINT;
  }

  @Override
  public Answer run(Session session) {
    try (RunOpening run = new RunOpening(out, resume, session)) {
      run.require(Set.of("iterations", "victims"), Map.of());
      TunerResult result =
          session
              .jobs()
              .get()
              .tuners()
              .train(
                  universal.tasks(task.shots, task.unseen),
                  tuner.design(),
                  universal.slope(),
                  training(),
                  run,
                  session);
      return Answer.ok(text(result, session.console().width()), result);
    }
  }

  private TunerTraining training() {
    return new TunerTraining(
        iterations,
        tasks,
        metaRate,
        clip,
        tuner.unrolling(),
        work.seed,
        work.compute(),
        pace.pace());
  }

  private static String text(TunerResult result, int width) {
    TextTable table =
        new TextTable()
            .left("sources")
            .left("judged on")
            .right("steps")
            .right("loss")
            .right("seconds")
            .left("run");
    table.row(
        String.join(", ", result.sources()),
        result.judged(),
        result.iterations(),
        result.loss() == null ? "–" : String.format(Locale.ROOT, "%.4f", result.loss()),
        String.format(Locale.ROOT, "%.1f", result.seconds()),
        result.run());
    return table.format(width);
  }
}
