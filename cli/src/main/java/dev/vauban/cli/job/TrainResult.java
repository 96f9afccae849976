package dev.vauban.cli.job;

/**
 * How a training ended.
 *
 * @param run the run directory
 * @param method the meta-learner's name
 * @param iterations finished meta-steps
 * @param loss the mean meta-loss of the last metrics line; null if there is none yet
 * @param clean the last validation's accuracy on clean queries, 0..1; null if not validated
 * @param robust the same under PGD-10 with the training attack's budget; null if not validated
 * @param seconds wall time of this session
 * @param processorSeconds processor time of this session, all threads together
 */
public record TrainResult(
    String run,
    String method,
    long iterations,
    Double loss,
    Double clean,
    Double robust,
    double seconds,
    double processorSeconds) {}
