package dev.vauban.cli.command;

import dev.vauban.cli.config.Base;
import dev.vauban.cli.config.Method;
import dev.vauban.cli.config.Presets;
import dev.vauban.cli.config.Settings.Value;
import dev.vauban.cli.job.Answer;
import dev.vauban.cli.job.Learner;
import dev.vauban.cli.job.Session;
import dev.vauban.cli.job.TrainResult;
import dev.vauban.cli.job.Training;
import dev.vauban.cli.run.RunDirectory;
import dev.vauban.cli.terminal.TextTable;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code vauban train}: meta-trains a model into a run directory. */
@CommandLine.Command(
    name = "train",
    description = "Meta-train a model into a run directory.",
    footer = {
      "",
      "Example:",
      "  vauban train --method rmaml-out --data omniglot:data/omniglot --ways 5 --shots 1 \\",
      "    --out runs/a"
    })
public final class TrainCommand implements Command, Base, Presets {
  /** Settings that the runs of older versions do not name, with what they were. */
  private static final Map<String, String> SINCE = Map.of("precision", "f32", "device", "cpu");

  @Mixin LearnerOptions learner;
  @Mixin EpisodeOptions episodes;
  @Mixin OuterOptions outer;
  @Mixin SessionOptions sessions;
  @Mixin WorkOptions work;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "run directory, new or empty (default: runs/METHOD-DATA-NwKs)")
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
    Map<String, Value> presets = learner.presets(episodes.data);
    presets.putAll(outer.presets(learner.method));
    presets.putAll(sessions.presets(outer.iterations));
    presets.put("out", new Value(defaultOut(), "default"));
    return presets;
  }

  private String defaultOut() {
    return "runs/%s-%s-%dw%ds"
        .formatted(
            learner.method.label(), episodes.data.kind().label(), episodes.ways, episodes.shots);
  }

  @Override
  public Stop stop() {
    return Stop.AT_SAFE_POINT;
  }

  @Override
  public Answer run(Session session) {
    // What options and folder forbid is said before data are read, what the data forbid before a
    // folder is made.
    Learner what = learner.learner();
    learner.refuseContradictions(
        session.settings(), resume ? RunDirectory.configOf(out).toString() : "");
    learner.refuseStrangers(outer.trainWays, episodes.ways);
    try (RunOpening run = new RunOpening(out, resume, session)) {
      run.require(changeable(session), SINCE);
      TrainResult result =
          session.jobs().get().train(what, episodes.episodes(), training(), run, session);
      return Answer.ok(text(result, session.console().width()), result);
    }
  }

  private Training training() {
    return new Training(
        outer.loop(work), sessions.pace(), sessions.validateEvery, sessions.validations());
  }

  /** A training that changes over its iterations would not be the same with another number. */
  private Set<String> changeable(Session session) {
    boolean timed =
        !"constant".equals(session.settings().values().get("schedule").text())
            || learner.method == Method.MAML_PLUS_PLUS;
    return timed ? Set.of() : Set.of("iterations");
  }

  private static String text(TrainResult result, int width) {
    TextTable table =
        new TextTable()
            .left("method")
            .right("steps")
            .right("loss")
            .right("clean")
            .right("robust")
            .right("seconds")
            .left("run");
    table.row(
        result.method(),
        result.iterations(),
        result.loss() == null ? "–" : String.format(Locale.ROOT, "%.4f", result.loss()),
        Tables.percent(result.clean()),
        Tables.percent(result.robust()),
        String.format(Locale.ROOT, "%.1f", result.seconds()),
        result.run());
    return table.format(width);
  }
}
