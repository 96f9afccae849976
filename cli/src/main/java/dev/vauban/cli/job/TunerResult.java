package dev.vauban.cli.job;

import java.util.List;

/**
 * How a tuner's meta-training ended.
 *
 * @param run the run directory
 * @param sources the names of the image sources
 * @param judged which images the meta-loss is measured on
 * @param iterations finished meta-steps
 * @param loss the mean meta-loss of the last metrics line; null if there is none yet
 * @param seconds wall time of this session
 * @param processorSeconds processor time of this session, all threads together
 */
public record TunerResult(
    String run,
    List<String> sources,
    String judged,
    long iterations,
    Double loss,
    double seconds,
    double processorSeconds) {}
