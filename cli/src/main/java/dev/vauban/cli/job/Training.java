package dev.vauban.cli.job;

import dev.vauban.cli.config.MetaSchedule;

/**
 * How to meta-train.
 *
 * @param iterations meta-steps in all
 * @param metaBatch tasks per meta-step
 * @param metaRate Adam's step size
 * @param schedule how it changes over the iterations
 * @param clip the largest norm of the meta-gradient; 0 for no clipping
 * @param seed of all randomness
 * @param compute where it runs
 * @param logEvery meta-steps between two metrics lines
 * @param checkpointEvery meta-steps between two checkpoints
 * @param keep checkpoints to keep
 * @param validateEvery meta-steps between two validations; 0 for none
 * @param validateEpisodes episodes of one validation
 * @param validateSteps fine-tune steps in validation
 * @param lastRate where a cosine schedule ends
 * @param trainWays classes of a training episode (protonet); 0 for the episodes' ways
 * @param validateShots labelled images per class in validation; 0 for the episodes' shots
 * @param maxMinutes wall time after which this session ends; 0 for no limit
 */
public record Training(
    int iterations,
    int metaBatch,
    double metaRate,
    MetaSchedule schedule,
    double clip,
    long seed,
    Compute compute,
    int logEvery,
    int checkpointEvery,
    int keep,
    int validateEvery,
    int validateEpisodes,
    int validateSteps,
    double lastRate,
    int trainWays,
    int validateShots,
    double maxMinutes) {}
