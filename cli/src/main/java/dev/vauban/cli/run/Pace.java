package dev.vauban.cli.run;

/**
 * How far a training goes, and how often it is written down.
 *
 * @param steps in all, over all sessions
 * @param logEvery steps between two metrics lines
 * @param checkpointEvery steps between two checkpoints
 * @param keep checkpoints to keep
 * @param maxMinutes when a session ends with a checkpoint; 0 for no limit
 */
public record Pace(int steps, int logEvery, int checkpointEvery, int keep, double maxMinutes) {}
