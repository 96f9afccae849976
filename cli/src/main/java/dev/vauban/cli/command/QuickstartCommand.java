package dev.vauban.cli.command;

import dev.vauban.cli.config.Eps;
import dev.vauban.cli.config.Presets;
import dev.vauban.cli.config.Range;
import dev.vauban.cli.config.Settings.Value;
import dev.vauban.cli.failure.ExitCode;
import dev.vauban.cli.job.Answer;
import dev.vauban.cli.job.Evaluation;
import dev.vauban.cli.job.Quickstart;
import dev.vauban.cli.job.Session;
import dev.vauban.cli.report.QuickstartReport;
import dev.vauban.cli.run.OutputPath;
import java.nio.file.Path;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code vauban quickstart}: the main job on built-in data. */
@CommandLine.Command(
    name = "quickstart",
    description = {
      "Meta-train plain MAML and robust MAML on built-in data, attack both, compare.",
      "Needs no download; takes a few minutes on two cores."
    })
public final class QuickstartCommand implements Command, Presets {
  @Range(min = 1)
  @Option(
      names = "--iterations",
      paramLabel = "N",
      description = "meta-steps per method (default: 800; 120 with --short)")
  int iterations;

  @Range(min = 2)
  @Option(
      names = "--episodes",
      paramLabel = "N",
      description = "evaluation episodes (default: 200; 40 with --short)")
  int episodes;

  @Option(
      names = "--eps",
      paramLabel = "EPS",
      defaultValue = "16/255",
      description =
          "the attack's budget, as 8/255 or a decimal in (0,1) (default: ${DEFAULT-VALUE})")
  Eps eps;

  @Option(
      names = "--short",
      description = "a fraction of the work: enough to see the effect, not to measure it")
  boolean brief;

  @Option(
      names = "--report",
      paramLabel = "FILE",
      defaultValue = "report.html",
      description = "where to write the page (default: ${DEFAULT-VALUE})")
  Path report;

  @Mixin WorkOptions work;
  @Mixin ConfigOptions config;

  @Override
  public Map<String, Value> presets() {
    return brief
        ? Map.of("iterations", new Value("120", "short"), "episodes", new Value("40", "short"))
        : Map.of(
            "iterations", new Value("800", "default"), "episodes", new Value("200", "default"));
  }

  @Override
  public Stop stop() {
    return Stop.AT_SAFE_POINT;
  }

  @Override
  public Answer run(Session session) {
    double budget = eps.linf();
    OutputPath.requireFile("--report", report);
    Evaluation evaluation =
        session
            .jobs()
            .get()
            .quickstart(
                new Quickstart(iterations, episodes, budget, work.seed, work.compute()), session);
    ExitCode code =
        session.keep(() -> {
          QuickstartReport.write(report, evaluation, session);
          session.console().notice("report: " + report.toAbsolutePath());
        });
    return new Answer(code, Tables.evaluation(evaluation, session.console().width()), evaluation);
  }
}
