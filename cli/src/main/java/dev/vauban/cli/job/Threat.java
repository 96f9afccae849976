package dev.vauban.cli.job;

import dev.vauban.cli.config.AttackName;
import java.util.List;

/**
 * Which attack at which budgets.
 *
 * @param attack the algorithm
 * @param eps the budgets as fractions of the pixel range, at least one
 * @param steps gradient steps
 * @param stepSize per step; null for 2.5 eps / steps
 * @param restarts random starts, of which the worst counts
 */
public record Threat(
    AttackName attack, List<Double> eps, int steps, Double stepSize, int restarts) {}
