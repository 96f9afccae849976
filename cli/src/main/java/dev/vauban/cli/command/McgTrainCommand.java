package dev.vauban.cli.command;

import dev.vauban.cli.config.Base;
import dev.vauban.cli.config.DataSpec;
import dev.vauban.cli.config.Eps;
import dev.vauban.cli.config.Presets;
import dev.vauban.cli.config.Settings.Value;
import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.job.Answer;
import dev.vauban.cli.job.GeneratorResult;
import dev.vauban.cli.job.GeneratorTraining;
import dev.vauban.cli.job.Session;
import dev.vauban.cli.terminal.TextTable;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code vauban mcg train}: surrogates and a generator, into a run directory. */
@CommandLine.Command(
    name = "train",
    description = {
      "Train surrogates on a data set's training images, and a generator on the surrogates.",
      "The run's generator.safetensors holds both. More --adaptation-steps with --resume go on from"
          + " where it ended."
    },
    footer = {
      "",
      "Example:",
      "  vauban mcg train --data mnist:data/mnist --eps 0.1 --out runs/mcg",
      "  vauban query-attack runs/rfs --victim classifier --eps 0.1 --generator runs/mcg \\",
      "    --attack square,transfer+square,mcg+square"
    })
public final class McgTrainCommand implements Command, Base, Presets {
  @Option(
      names = "--data",
      paramLabel = "DATA",
      description =
          "whose training images to learn from: mnist:DIR or fashion:DIR, which keep other images of"
              + " the same classes apart to be attacked")
  DataSpec data;

  @Option(
      names = "--eps",
      paramLabel = "EPS",
      description =
          "largest change of a pixel, e.g. 8/255 or 0.1 (default: 16/255 on grey images, 8/255 on"
              + " colour)")
  Eps eps;

  @Mixin GeneratorOptions generator;
  @Mixin PaceOptions pace;
  @Mixin WorkOptions work;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "run directory, new or empty (default: runs/mcg-DATA)")
  Path out;

  @Option(
      names = "--resume",
      description = "continue the run in --out from its latest checkpoint, bit for bit")
  boolean resume;

  @Mixin ConfigOptions config;

  @Override
  public Optional<Inherited> base() {
    return resume && out() != null ? RunOpening.inherited(out(), config) : Optional.empty();
  }

  @Override
  public Map<String, Value> presets() {
    Map<String, Value> presets = new LinkedHashMap<>();
    if (data != null) {
      presets.put("eps", LearnerOptions.suitedTo(data).get("eps"));
      presets.put("out", new Value(out().toString(), "default"));
    }
    return presets;
  }

  private Path out() {
    return out != null || data == null ? out : Path.of("runs/mcg-" + data.kind().label());
  }

  @Override
  public Stop stop() {
    return Stop.AT_SAFE_POINT;
  }

  @Override
  public Answer run(Session session) {
    if (data == null) {
      throw CommandException.badInput(
          resume
              ? "--resume: name the run with --out"
              : "a generator needs images to learn from; give --data mnist:DIR or fashion:DIR");
    }
    if (generator.steps() == 0) {
      throw CommandException.badInput(
          "--imitation-steps 0 and --adaptation-steps 0 leave nothing to learn; give one of them");
    }
    try (RunOpening run = new RunOpening(out, resume, session)) {
      run.require(Set.of("adaptation-steps"), Map.of());
      GeneratorResult result = session.jobs().get().generators().train(training(), run, session);
      return Answer.ok(text(result, session.console().width()), result);
    }
  }

  private GeneratorTraining training() {
    return new GeneratorTraining(
        data,
        eps.linf(),
        generator.filters,
        generator.surrogates,
        generator.surrogateSteps,
        generator.imitation(),
        generator.adaptation(),
        work.seed,
        work.compute(),
        pace.pace());
  }

  private static String text(GeneratorResult result, int width) {
    TextTable table =
        new TextTable()
            .left("surrogates, right on unseen images")
            .right("steps")
            .right("fooled")
            .right("seconds")
            .left("run");
    table.row(
        result.surrogates().stream()
            .map(s -> s.network() + " " + Tables.percent(s.accuracy()))
            .collect(Collectors.joining(", ")),
        result.iterations(),
        Tables.percent(result.fooled()),
        String.format(Locale.ROOT, "%.1f", result.seconds()),
        result.run());
    return table.format(width)
        + System.lineSeparator()
        + "fooled: the surrogates by the generator's most likely change of training images"
        + (result.file() == null ? "" : System.lineSeparator() + "generator: " + result.file());
  }
}
