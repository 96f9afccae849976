package dev.vauban.cli.job;

import dev.vauban.tensor.Precision;

/**
 * The main job on built-in data.
 *
 * @param iterations meta-steps per method
 * @param episodes evaluation episodes
 * @param eps the attack's budget, also in training
 * @param seed of everything
 * @param workers threads
 * @param precision of large products
 */
public record Quickstart(
    int iterations, int episodes, double eps, long seed, int workers, Precision precision) {}
