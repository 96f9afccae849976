package dev.vauban.cli.job;

import dev.vauban.cli.config.DataSpec;
import dev.vauban.cli.config.Rotations;
import dev.vauban.cli.config.Split;

/**
 * Which tasks: N-way K-shot episodes of a data set.
 *
 * @param data the data set
 * @param split how Omniglot is divided; the other data sets ignore it
 * @param rotations whether turned Omniglot characters are classes
 * @param ways classes per task
 * @param shots labelled images per class
 * @param queries query images per class
 */
public record Episodes(
    DataSpec data, Split split, Rotations rotations, int ways, int shots, int queries) {
  /** These with another number of classes. */
  public Episodes withWays(int number) {
    return new Episodes(data, split, rotations, number, shots, queries);
  }

  /** These with another number of labelled images. */
  public Episodes withShots(int number) {
    return new Episodes(data, split, rotations, ways, number, queries);
  }
}
