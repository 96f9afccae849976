package dev.vauban.cli.run;

/**
 * How often a training is written down, and when a session of it ends.
 *
 * @param logEvery steps between two metrics lines
 * @param checkpointEvery steps between two checkpoints
 * @param keep checkpoints to keep
 * @param maxMinutes when a session ends with a checkpoint; 0 for no limit
 */
public record Pace(int logEvery, int checkpointEvery, int keep, double maxMinutes) {
  /** Whether a session has worked for as long as it may. */
  public boolean isOver(SessionClock clock) {
    return maxMinutes > 0 && clock.seconds() >= 60 * maxMinutes;
  }
}
