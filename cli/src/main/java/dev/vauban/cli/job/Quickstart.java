package dev.vauban.cli.job;

/**
 * The main job on built-in data.
 *
 * @param iterations meta-steps per method
 * @param episodes evaluation episodes
 * @param eps the attack's budget, also in training
 * @param seed of everything
 * @param compute where it runs
 */
public record Quickstart(int iterations, int episodes, double eps, long seed, Compute compute) {}
