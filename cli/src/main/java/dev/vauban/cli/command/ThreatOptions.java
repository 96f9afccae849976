package dev.vauban.cli.command;

import dev.vauban.cli.config.AttackName;
import dev.vauban.cli.config.Eps;
import dev.vauban.cli.config.Objective;
import dev.vauban.cli.config.Range;
import dev.vauban.cli.job.Threat;
import java.util.List;
import picocli.CommandLine.Option;

/** The attack of an evaluation. */
public final class ThreatOptions {
  @Option(
      names = "--attack",
      paramLabel = "ATTACK",
      defaultValue = "pgd",
      description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE})")
  AttackName attack;

  @Option(
      names = "--attack-loss",
      paramLabel = "LOSS",
      defaultValue = "ce",
      description =
          "what it raises: cross-entropy (ce) or the difference of logits ratio (dlr)"
              + " (default: ${DEFAULT-VALUE})")
  Objective objective;

  @Option(
      names = "--eps",
      paramLabel = "EPS",
      split = ",",
      description =
          "budget, as 8/255 or a decimal in (0,1); several with commas (default: 16/255 on grey"
              + " images, 8/255 on colour)")
  List<Eps> eps;

  @Range(min = 1, max = 10000)
  @Option(
      names = "--attack-steps",
      paramLabel = "N",
      defaultValue = "10",
      description = "gradient steps of pgd and apgd (default: ${DEFAULT-VALUE})")
  int attackSteps;

  @Range(above = 0)
  @Option(
      names = "--step-size",
      paramLabel = "SIZE",
      description =
          "of a step, in units of the pixel range (default: 2.5 eps / steps); apgd has"
              + " its own")
  Double stepSize;

  @Range(min = 1, max = 100)
  @Option(
      names = "--restarts",
      paramLabel = "N",
      defaultValue = "1",
      description = "random starts, of which the worst counts (default: ${DEFAULT-VALUE})")
  int restarts;

  Threat threat() {
    List<Double> budgets = eps.stream().map(attack.euclidean() ? Eps::value : Eps::linf).toList();
    return new Threat(attack, objective, budgets, attackSteps, stepSize, restarts);
  }
}
