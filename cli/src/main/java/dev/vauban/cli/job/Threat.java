package dev.vauban.cli.job;

import dev.vauban.cli.config.AttackName;
import dev.vauban.cli.config.Objective;
import java.util.List;

/**
 * Which attack at which budgets.
 *
 * @param attack the algorithm
 * @param objective what it raises
 * @param eps the budgets as fractions of the pixel range, at least one
 * @param steps gradient steps
 * @param stepSize per step; null for 2.5 eps / steps
 * @param restarts random starts, of which the worst counts
 */
public record Threat(
    AttackName attack,
    Objective objective,
    List<Double> eps,
    int steps,
    Double stepSize,
    int restarts) {
  /** For tables: the attack, and what it raises if that is not the usual. */
  public String label() {
    return objective == Objective.CE ? attack.label() : attack.label() + " " + objective.label();
  }
}
