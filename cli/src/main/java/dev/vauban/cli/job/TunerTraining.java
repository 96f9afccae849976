package dev.vauban.cli.job;

import dev.vauban.meta.tuning.Unroll;

/**
 * How a tuner is meta-trained.
 *
 * @param iterations meta-steps
 * @param tasks of each source in a meta-step
 * @param metaRate Adam's
 * @param clip largest norm of the meta-gradient; 0 for no clipping
 * @param unroll of the tuner's steps
 * @param seed of all randomness but the victims'
 * @param compute where it runs
 * @param logEvery meta-steps between two metrics lines
 * @param checkpointEvery meta-steps between two checkpoints
 * @param keep checkpoints to keep
 * @param maxMinutes when to end with a checkpoint; 0 for no limit
 */
public record TunerTraining(
    int iterations,
    int tasks,
    double metaRate,
    double clip,
    Unroll unroll,
    long seed,
    Compute compute,
    int logEvery,
    int checkpointEvery,
    int keep,
    double maxMinutes) {}
