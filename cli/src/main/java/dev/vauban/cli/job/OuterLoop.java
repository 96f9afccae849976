package dev.vauban.cli.job;

import dev.vauban.cli.config.MetaSchedule;

/**
 * What a meta-training computes.
 *
 * @param iterations meta-steps in all, over all sessions
 * @param metaBatch tasks per meta-step
 * @param metaRate Adam's step size
 * @param schedule how it changes over the iterations
 * @param lastRate where a cosine schedule ends
 * @param clip the largest norm of the meta-gradient; 0 for no clipping
 * @param trainWays classes of a training episode (protonet); 0 for the episodes' ways
 * @param seed of all randomness
 * @param compute where it runs
 */
public record OuterLoop(
    int iterations,
    int metaBatch,
    double metaRate,
    MetaSchedule schedule,
    double lastRate,
    double clip,
    int trainWays,
    long seed,
    Compute compute) {}
