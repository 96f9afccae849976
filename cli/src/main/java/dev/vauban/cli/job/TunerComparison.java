package dev.vauban.cli.job;

import java.util.List;

/**
 * A trained tuner on several image sources: the answer of {@code lft attack}.
 *
 * @param run its run directory
 * @param seconds wall time
 * @param sources one evaluation each
 */
public record TunerComparison(String run, double seconds, List<UniversalEvaluation> sources) {}
