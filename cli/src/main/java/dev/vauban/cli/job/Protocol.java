package dev.vauban.cli.job;

import dev.vauban.cli.config.SupportImages;
import java.util.List;

/**
 * How to evaluate.
 *
 * @param episodes tasks from unseen classes, the same for every model
 * @param steps the numbers of fine-tune steps to report
 * @param seed of the episodes and the attack's starts
 * @param compute where it runs
 * @param examples attacked images to return for the report
 * @param support which support images to fine-tune on
 * @param dimension images of which to measure the features' intrinsic dimension; 0 for none
 * @param linear classes of a robust linear evaluation of the frozen encoder; 0 for none
 * @param neurons features to invert for the report; 0 for none
 */
public record Protocol(
    int episodes,
    List<Integer> steps,
    long seed,
    Compute compute,
    int examples,
    SupportImages support,
    int dimension,
    int linear,
    int neurons) {
  /** Fine-tuning on clean images, and accuracies alone. */
  public Protocol(int episodes, List<Integer> steps, long seed, Compute compute, int examples) {
    this(episodes, steps, seed, compute, examples, SupportImages.CLEAN, 0, 0, 0);
  }
}
