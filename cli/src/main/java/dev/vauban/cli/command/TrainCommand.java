package dev.vauban.cli.command;

import dev.vauban.cli.config.Base;
import dev.vauban.cli.config.ConfigFile;
import dev.vauban.cli.config.Method;
import dev.vauban.cli.config.Presets;
import dev.vauban.cli.config.Settings.Value;
import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.job.Answer;
import dev.vauban.cli.job.Learner;
import dev.vauban.cli.job.Session;
import dev.vauban.cli.job.TrainResult;
import dev.vauban.cli.logging.RunLog;
import dev.vauban.cli.run.RunDirectory;
import dev.vauban.cli.terminal.TextTable;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
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
  /** Settings that a resumed run may change: they do not touch what is computed. */
  private static final Set<String> FREE_ON_RESUME =
      Set.of(
          "out", "workers", "iterations", "log-every", "checkpoint-every", "keep", "max-minutes");

  /** Settings that the runs of older versions do not name, with what they were. */
  private static final Map<String, String> SINCE = Map.of("precision", "f32", "device", "cpu");

  @Mixin LearnerOptions learner;
  @Mixin EpisodeOptions episodes;
  @Mixin TrainingOptions training;
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
    if (config.config != null) {
      throw CommandException.badInput(
          "--config with --resume: a resumed run keeps the settings in "
              + RunDirectory.configOf(folder)
              + "; leave one of them out");
    }
    RunDirectory.requireRun(folder);
    return Optional.of(new Inherited(RunDirectory.configOf(folder), Rank.BELOW_FLAGS));
  }

  @Override
  public Map<String, Value> presets() {
    Map<String, Value> presets = learner.presets(episodes.data);
    presets.putAll(training.presets(learner.method));
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
    learner.refuseStrangers(training.trainWays, episodes.ways);
    if (resume) {
      refuseChanges(session);
      RunDirectory.requireIdle(out);
    } else {
      RunDirectory.requireFree(out);
    }
    try (Opening run = new Opening(session)) {
      TrainResult result =
          session
              .jobs()
              .get()
              .train(what, episodes.episodes(), training.training(work), run, session);
      return Answer.ok(text(result, session.console().width()), result);
    }
  }

  /** The run and its log, from when they are asked for to the end of the command. */
  private final class Opening implements Supplier<RunDirectory>, AutoCloseable {
    private final Session session;
    private RunDirectory run;
    private RunLog log;

    Opening(Session session) {
      this.session = session;
    }

    @Override
    public RunDirectory get() {
      run =
          resume ? RunDirectory.resume(out) : RunDirectory.create(out, session.settings().toYaml());
      log = RunLog.to(RunDirectory.logOf(out));
      session
          .console()
          .notice(
              run.start()
                  .map(c -> "resuming " + out + " from step " + c.step())
                  .orElse("training in " + out));
      return run;
    }

    @Override
    public void close() {
      if (log != null) {
        log.close();
      }
      if (run != null) {
        run.close();
      }
    }
  }

  /** A resumed run that changed its data or its method would not be the run it claims to be. */
  private void refuseChanges(Session session) {
    boolean timed =
        !"constant".equals(session.settings().values().get("schedule").text())
            || learner.method == Method.MAML_PLUS_PLUS;
    Map<String, ConfigFile.Entry> before = ConfigFile.read(RunDirectory.configOf(out));
    session
        .settings()
        .values()
        .forEach((name, value) -> {
          ConfigFile.Entry entry = before.get(name);
          String old = entry == null ? SINCE.get(name) : entry.value();
          if (value.source().equals("flag")
              && (!FREE_ON_RESUME.contains(name) || timed && name.equals("iterations"))
              && old != null
              && !old.equals(value.text())) {
            throw CommandException.badInput(
                "--%s %s: the run in %s was begun with %s %s and resumes with it; start a new"
                        .formatted(name, value.text(), out, name, old)
                    + " run to change it");
          }
        });
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
