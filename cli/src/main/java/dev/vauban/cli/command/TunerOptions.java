package dev.vauban.cli.command;

import dev.vauban.cli.config.JudgedOn;
import dev.vauban.cli.config.Range;
import dev.vauban.cli.config.StepWeighting;
import dev.vauban.cli.config.TunerInput;
import dev.vauban.cli.job.TunerDesign;
import dev.vauban.meta.tuning.Unroll;
import picocli.CommandLine.Option;

/** A learned optimiser, and how its steps are unrolled to learn from them. */
public final class TunerOptions {
  @Range(min = 1, max = 1024)
  @Option(
      names = "--hidden",
      paramLabel = "N",
      defaultValue = "10",
      description = "units of the recurrent cell (default: ${DEFAULT-VALUE})")
  int hidden;

  @Option(
      names = "--input",
      paramLabel = "WHICH",
      defaultValue = "log-sign",
      description =
          "what the cell sees of a gradient: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE})")
  TunerInput input;

  @Range(above = 0, max = 100)
  @Option(
      names = "--scale",
      paramLabel = "STEP",
      defaultValue = "0.05",
      description =
          "what the cell's output is multiplied by, in pixels' units (default: ${DEFAULT-VALUE})")
  double scale;

  @Range(min = 1, max = 1000)
  @Option(
      names = "--unroll",
      paramLabel = "N",
      defaultValue = "20",
      description = "tuning steps that a meta-step goes back through (default: ${DEFAULT-VALUE})")
  int unroll;

  @Range(min = 1, max = 1000)
  @Option(
      names = "--segments",
      paramLabel = "N",
      defaultValue = "3",
      description =
          "meta-steps that a task lasts, each going on where the last ended (default:"
              + " ${DEFAULT-VALUE})")
  int segments;

  @Option(
      names = "--weighting",
      paramLabel = "WHICH",
      defaultValue = "rising",
      description =
          "of the steps' losses: ${COMPLETION-CANDIDATES}; rising weighs step k of K with k/K"
              + " (default: ${DEFAULT-VALUE})")
  StepWeighting weighting;

  @Option(
      names = "--judged",
      paramLabel = "IMAGES",
      defaultValue = "unseen",
      description =
          "what the meta-loss is measured on: ${COMPLETION-CANDIDATES}; unseen images make a learned"
              + " fine-tuner (LFT), those tuned on learning to optimise (L2O) (default:"
              + " ${DEFAULT-VALUE})")
  JudgedOn judged;

  TunerDesign design() {
    return new TunerDesign(hidden, input, scale);
  }

  Unroll unrolling() {
    return new Unroll(unroll, segments, weighting.weighting(), judged.part());
  }
}
