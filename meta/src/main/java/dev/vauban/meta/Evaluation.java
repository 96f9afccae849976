package dev.vauban.meta;

import java.util.List;

/**
 * The result of one evaluation: accuracies of every episode after every requested number of
 * fine-tune steps, and some attacked images.
 *
 * @param eps the attack's radius
 * @param steps the numbers of fine-tune steps
 * @param clean [steps][episodes], 0 to 1
 * @param robust the same under attack
 * @param examples attacked queries of the first episodes, after the last number of steps
 */
public record Evaluation(
    double eps, List<Integer> steps, double[][] clean, double[][] robust, List<Example> examples) {

  /**
   * A query image before and after the attack.
   *
   * @param height in pixels
   * @param width in pixels
   * @param channels 1 or 3
   * @param clean pixels in [0,1], [H,W,C]
   * @param adversarial the attacked pixels
   * @param label the class within the episode
   * @param cleanPrediction what the adapted network says of the clean image
   * @param adversarialPrediction what it says of the attacked image
   */
  public record Example(
      int height,
      int width,
      int channels,
      float[] clean,
      float[] adversarial,
      int label,
      int cleanPrediction,
      int adversarialPrediction) {}

  /** Number of episodes. */
  public int episodes() {
    return clean[0].length;
  }

  /**
   * Accuracy on clean queries after this number of fine-tune steps.
   *
   * @throws IllegalArgumentException if it was not evaluated
   */
  public Accuracy clean(int afterSteps) {
    return Accuracy.of(clean[row(afterSteps)]);
  }

  /**
   * Accuracy on attacked queries after this number of fine-tune steps.
   *
   * @throws IllegalArgumentException if it was not evaluated
   */
  public Accuracy robust(int afterSteps) {
    return Accuracy.of(robust[row(afterSteps)]);
  }

  private int row(int afterSteps) {
    int row = steps.indexOf(afterSteps);
    if (row < 0) {
      throw new IllegalArgumentException(
          "scored after " + steps + " fine-tune steps, not after " + afterSteps);
    }
    return row;
  }
}
