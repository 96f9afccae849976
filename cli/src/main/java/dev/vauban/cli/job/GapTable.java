package dev.vauban.cli.job;

import java.util.List;

/**
 * How the meta-gradients of LFT and L2O differ: the answer of {@code lft gap}.
 *
 * @param run whose weights they are taken at
 * @param tasks how many
 * @param rows by source and number of images
 */
public record GapTable(String run, int tasks, List<Row> rows) {
  /**
   * One number of images.
   *
   * @param source of the images
   * @param images of a task to tune on, and as many unseen
   * @param gap mean over tasks of |g_LFT - g_L2O|, over the root mean square of |g_L2O|
   * @param gapCi half-width of its 95% confidence interval
   * @param cosine mean over tasks of the cosine of the two
   * @param meanGap the same of the gradients' means over the tasks
   * @param meanCosine the same of the gradients' means over the tasks
   */
  public record Row(
      String source,
      int images,
      double gap,
      double gapCi,
      double cosine,
      double meanGap,
      double meanCosine) {}
}
