package dev.vauban.cli.job;

import dev.vauban.cli.run.Pace;
import dev.vauban.meta.tuning.Unroll;

/**
 * How a tuner is meta-trained.
 *
 * @param iterations meta-steps in all, over all sessions
 * @param tasks of each source in a meta-step
 * @param metaRate Adam's
 * @param clip largest norm of the meta-gradient; 0 for no clipping
 * @param unroll of the tuner's steps
 * @param seed of all randomness but the victims'
 * @param compute where it runs
 * @param pace how often it is written down
 */
public record TunerTraining(
    int iterations,
    int tasks,
    double metaRate,
    double clip,
    Unroll unroll,
    long seed,
    Compute compute,
    Pace pace) {}
