package dev.vauban.cli.job;

import java.util.List;

/**
 * What a data set holds.
 *
 * @param data as the user named it
 * @param height pixels
 * @param width pixels
 * @param channels 1 or 3
 * @param sha256 of the decoded pixels and labels
 * @param splits training, validation and test classes
 */
public record DataInfo(
    String data, int height, int width, int channels, String sha256, List<Split> splits) {
  /**
   * One split.
   *
   * @param name train, validation or test
   * @param classes how many
   * @param images how many in all
   * @param fewest images of its smallest class
   */
  public record Split(String name, int classes, long images, int fewest) {}
}
