package dev.vauban.cli.command;

import dev.vauban.cli.config.Base;
import dev.vauban.cli.config.Presets;
import dev.vauban.cli.config.Range;
import dev.vauban.cli.config.Settings.Value;
import dev.vauban.cli.failure.ExitCode;
import dev.vauban.cli.job.Answer;
import dev.vauban.cli.job.Evaluation;
import dev.vauban.cli.job.Example;
import dev.vauban.cli.job.Protocol;
import dev.vauban.cli.job.Session;
import dev.vauban.cli.report.Examples;
import dev.vauban.cli.run.OutputPath;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code vauban attack}: attacks a model and writes the images. */
@CommandLine.Command(
    name = "attack",
    description = {
      "Attack a model's queries and write clean and adversarial images.",
      "As with eval, data, split, rotations, ways, shots, queries and eps default to what the run was"
          + " trained with."
    },
    footer = {"", "Example:", "  vauban attack runs/a --attack pgd --eps 8/255 --out attacked"})
public final class AttackCommand implements Command, Base, Presets {
  @Parameters(paramLabel = "MODEL", description = "a run directory or a .safetensors file")
  Path model;

  @Mixin ThreatOptions threat;

  @Range(min = 2, max = 100_000)
  @Option(
      names = "--episodes",
      paramLabel = "N",
      defaultValue = "20",
      description = "tasks to attack (default: ${DEFAULT-VALUE})")
  int episodeCount;

  @Range(min = 0, max = 1000)
  @Option(
      names = "--fine-tune-steps",
      paramLabel = "N",
      defaultValue = "10",
      description = "adaptation steps before the attack (default: ${DEFAULT-VALUE})")
  int fineTuneSteps;

  @Range(min = 1, max = 1000)
  @Option(
      names = "--images",
      paramLabel = "N",
      defaultValue = "24",
      description = "images to write (default: ${DEFAULT-VALUE})")
  int images;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      defaultValue = "attacked",
      description = "folder for the images (default: ${DEFAULT-VALUE})")
  Path out;

  @Mixin EpisodeOptions episodes;
  @Mixin WorkOptions work;
  @Mixin ConfigOptions config;

  @Override
  public Optional<Inherited> base() {
    return ModelPath.settings(model);
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
    ModelPath.require(model);
    OutputPath.requireFolder("--out", out);
    Protocol protocol =
        new Protocol(episodeCount, List.of(fineTuneSteps), work.seed, work.compute(), images);
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
    List<Example> examples = evaluation.figures().examples();
    ExitCode code = session.keep(() -> Examples.write(out, examples));
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("eps", evaluation.eps());
    json.put("attack", evaluation.attack());
    json.put("rows", evaluation.rows());
    String text = Tables.evaluation(evaluation, session.console().width());
    if (code == ExitCode.OK) {
      json.put("images", out.toString());
      long fooled = examples.stream().filter(Example::fooled).count();
      text +=
          System.lineSeparator()
              + "images: %d pairs in %s; %d of them fool the model"
                  .formatted(examples.size(), out, fooled);
    }
    return new Answer(code, text, json);
  }
}
