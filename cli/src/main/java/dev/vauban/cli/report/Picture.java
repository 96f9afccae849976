package dev.vauban.cli.report;

import dev.vauban.cli.job.Example;

/**
 * An attacked image, ready to be shown.
 *
 * @param model which model was attacked
 * @param clean PNG
 * @param adversarial PNG
 * @param perturbation PNG, centred on grey, full scale {@code eps}
 * @param label the true class
 * @param cleanPrediction the model's answer to the clean image
 * @param adversarialPrediction the model's answer to the attacked image
 * @param eps the budget
 */
public record Picture(
    String model,
    byte[] clean,
    byte[] adversarial,
    byte[] perturbation,
    int label,
    int cleanPrediction,
    int adversarialPrediction,
    double eps) {

  /** The picture of an example. */
  public static Picture of(Example e) {
    return new Picture(
        e.model(),
        Png.encode(e.clean(), e.height(), e.width(), e.channels()),
        Png.encode(e.adversarial(), e.height(), e.width(), e.channels()),
        Png.perturbation(e.clean(), e.adversarial(), e.eps(), e.height(), e.width(), e.channels()),
        e.label(),
        e.cleanPrediction(),
        e.adversarialPrediction(),
        e.eps());
  }

  /** This picture of a model by another name. */
  Picture of(String name) {
    return new Picture(
        name, clean, adversarial, perturbation, label, cleanPrediction, adversarialPrediction, eps);
  }
}
