package dev.vauban.cli.job;

import dev.vauban.meta.tuning.Unroll;

/**
 * How the meta-gradients of LFT and L2O are compared.
 *
 * @param tasks of each source
 * @param unroll of the tuner's steps, as the run was trained
 * @param seed of all randomness but the victims'
 * @param compute where it runs
 */
public record GapMeasurement(int tasks, Unroll unroll, long seed, Compute compute) {}
