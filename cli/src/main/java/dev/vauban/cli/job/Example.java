package dev.vauban.cli.job;

/**
 * One attacked image.
 *
 * @param model which model was attacked, e.g. {@code maml}
 * @param height pixels
 * @param width pixels
 * @param channels 1 (grey) or 3 (RGB)
 * @param clean pixels in [0,1], [H,W,C]
 * @param adversarial the attacked pixels
 * @param label the true class of the task, 0..ways-1
 * @param cleanPrediction the model's class for the clean image
 * @param adversarialPrediction the model's class for the attacked image
 * @param eps the attack's budget
 */
public record Example(
    String model,
    int height,
    int width,
    int channels,
    float[] clean,
    float[] adversarial,
    int label,
    int cleanPrediction,
    int adversarialPrediction,
    double eps) {

  /** Checks that both images have the stated size. */
  public Example {
    int size = height * width * channels;
    if (clean.length != size || adversarial.length != size) {
      throw new IllegalArgumentException(
          "an image of [%d,%d,%d] has %d values, not %d and %d"
              .formatted(height, width, channels, size, clean.length, adversarial.length));
    }
    if (channels != 1 && channels != 3) {
      throw new IllegalArgumentException("1 or 3 channels can be shown, not " + channels);
    }
  }

  /** Whether the attack turned a right answer into a wrong one. */
  public boolean fooled() {
    return cleanPrediction == label && adversarialPrediction != label;
  }
}
