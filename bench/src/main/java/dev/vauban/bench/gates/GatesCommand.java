package dev.vauban.bench.gates;

import dev.vauban.cli.command.Command;
import dev.vauban.cli.config.Range;
import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.failure.ExitCode;
import dev.vauban.cli.failure.Failure;
import dev.vauban.cli.job.Answer;
import dev.vauban.cli.job.Session;
import dev.vauban.cli.run.AtomicFile;
import dev.vauban.cli.run.OutputPath;
import dev.vauban.cli.terminal.Json;
import dev.vauban.nn.NearestName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Option;

/** {@code vauban gates}: trains, evaluates and judges. */
@CommandLine.Command(
    name = "gates",
    description = {
      "Repeat a reference measurement of robust meta-learning on Omniglot and judge the gates.",
      "Finished parts are kept in the work folder and not done again."
    },
    footer = {"", "Example:", "  vauban gates --data ../shared/data/omniglot --out docs/results"})
public final class GatesCommand implements Command {
  private static final int SMALL = 32;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      required = true,
      description = "folder of Omniglot's two archives")
  Path data;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "where to write gates.json and gates.md (default: nowhere)")
  Path out;

  @Option(
      names = "--work",
      paramLabel = "DIR",
      defaultValue = ".vauban/gates",
      description = "folder for weights and results (default: ${DEFAULT-VALUE})")
  Path work;

  @Option(
      names = "--seeds",
      paramLabel = "N",
      split = ",",
      defaultValue = "0",
      description = {
        "training seeds, separated by commas (default: ${DEFAULT-VALUE});",
        "all but the first train the recipes of 32 filters only"
      })
  List<Long> seeds;

  @Range(min = 1, max = Range.MOST_WORKERS)
  @Option(
      names = "--workers",
      paramLabel = "N",
      description = "threads; they change the speed, never the result (default: all cores)")
  int workers = Runtime.getRuntime().availableProcessors();

  @Option(
      names = "--only",
      paramLabel = "RECIPE",
      split = ",",
      description = "these recipes, separated by commas; gates about others count as not run")
  List<String> only = List.of();

  @Range(min = 2)
  @Option(
      names = "--episodes",
      paramLabel = "N",
      description = "evaluation episodes (default: 100 for 32 filters, 200 for 64)")
  Integer episodes;

  @Range(min = 1)
  @Option(
      names = "--short",
      paramLabel = "N",
      description = "N meta-steps and 8 episodes for every recipe: to see that it runs")
  Integer shortened;

  @Override
  public Stop stop() {
    return Stop.AT_SAFE_POINT;
  }

  @Override
  public Answer run(Session session) {
    List<Recipe> recipes = chosen();
    OutputPath.requireFolder("--work", work);
    if (out != null) {
      OutputPath.requireFolder("--out", out);
    }
    GatesReport report = measure(recipes, session);
    ExitCode kept = out == null ? ExitCode.OK : session.keep(() -> write(report));
    return new Answer(
        report.pass() ? kept : ExitCode.FAILED, report.text(session.console().width()), report);
  }

  private void write(GatesReport report) {
    try {
      Files.createDirectories(out);
    } catch (IOException e) {
      throw Failure.writing(out, e);
    }
    AtomicFile.write(out.resolve("gates.json"), Json.pretty(report) + "\n");
    AtomicFile.write(out.resolve("gates.md"), report.markdown());
  }

  private GatesReport measure(List<Recipe> recipes, Session session) {
    GradientCheck gradients = GradientCheck.run();
    session.console().notice("gradients checked: " + gradients);
    try (Laboratory laboratory =
        new Laboratory(data, work, workers, session.console(), session.interrupt())) {
      List<GatesReport.Seed> measured = new ArrayList<>();
      List<Map<String, Result>> all = new ArrayList<>();
      for (long seed : seeds) {
        Map<String, Result> results = new LinkedHashMap<>();
        for (Recipe recipe : recipes) {
          if (all.isEmpty() || recipe.filters() == SMALL) {
            results.put(recipe.key(), laboratory.run(recipe, seed));
          }
        }
        all.add(results);
        measured.add(new GatesReport.Seed(seed, List.copyOf(results.values())));
      }
      return new GatesReport(
          laboratory.device(),
          laboratory.data(),
          "./vauban " + String.join(" ", session.arguments()),
          gradients,
          Rules.judge(all, gradients),
          measured);
    }
  }

  private List<Recipe> chosen() {
    List<String> known = Recipe.all().stream().map(Recipe::key).toList();
    for (String key : only) {
      if (!known.contains(key)) {
        throw CommandException.badInput(NearestName.unknown("recipe", key, known));
      }
    }
    return Recipe.all().stream()
        .filter(r -> only.isEmpty() || only.contains(r.key()))
        .map(this::sized)
        .toList();
  }

  private Recipe sized(Recipe recipe) {
    int judged = episodes == null ? recipe.episodes() : episodes;
    return shortened == null
        ? recipe.sized(recipe.iterations(), judged)
        : recipe.sized(shortened, 8);
  }
}
