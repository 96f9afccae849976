package dev.vauban.cli.job;

import java.nio.file.Path;

/**
 * What guides of black-box attacks know and how they go on learning.
 *
 * @param generator a run of {@code vauban mcg train}, or its file
 * @param proposals candidates of each image before the attack
 * @param group images that are proposed for at a time
 * @param feedback how the surrogates learn from answers
 * @param adapting how the generator adapts to an image
 */
public record Guidance(
    Path generator, int proposals, int group, Feedback feedback, Adapting adapting) {
  /**
   * How surrogates learn from answers.
   *
   * @param steps before each round of proposals for a group; 0 for none
   * @param rate Adam's
   * @param memory answered images that are kept
   */
  public record Feedback(int steps, double rate, int memory) {}

  /**
   * How the generator adapts.
   *
   * @param steps on each image
   * @param rate Adam's
   * @param carry share of the way to the mean of a round's weights that the next round begins with
   */
  public record Adapting(int steps, double rate, double carry) {}
}
