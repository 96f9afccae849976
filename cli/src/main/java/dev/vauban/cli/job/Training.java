package dev.vauban.cli.job;

import dev.vauban.cli.run.Pace;

/**
 * How to meta-train into a run directory.
 *
 * @param loop what is computed
 * @param pace how often it is written down
 * @param validateEvery meta-steps between two validations; 0 for none
 * @param validations how they are made
 */
public record Training(OuterLoop loop, Pace pace, int validateEvery, Validations validations) {}
