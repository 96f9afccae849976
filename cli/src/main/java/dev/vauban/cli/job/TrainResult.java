package dev.vauban.cli.job;

/**
 * How a training ended.
 *
 * @param run the run directory
 * @param method the meta-learner's name
 * @param iterations finished meta-steps
 * @param loss the last meta-loss
 * @param clean validation accuracy on clean queries, 0..1; null if not validated
 * @param robust validation accuracy under the training attack's budget; null if not validated
 * @param seconds wall time of this session
 */
public record TrainResult(
    String run,
    String method,
    long iterations,
    double loss,
    Double clean,
    Double robust,
    double seconds) {}
