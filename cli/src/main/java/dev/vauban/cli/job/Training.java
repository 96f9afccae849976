package dev.vauban.cli.job;

/**
 * How to meta-train.
 *
 * @param iterations meta-steps in all
 * @param metaBatch tasks per meta-step
 * @param metaRate Adam's step size
 * @param clip the largest norm of the meta-gradient; 0 for no clipping
 * @param seed of all randomness
 * @param workers threads that tasks are spread over
 * @param logEvery meta-steps between two metrics lines
 * @param checkpointEvery meta-steps between two checkpoints
 * @param keep checkpoints to keep
 * @param validateEvery meta-steps between two validations; 0 for none
 * @param validateEpisodes episodes of one validation
 */
public record Training(
    int iterations,
    int metaBatch,
    double metaRate,
    double clip,
    long seed,
    int workers,
    int logEvery,
    int checkpointEvery,
    int keep,
    int validateEvery,
    int validateEpisodes) {}
