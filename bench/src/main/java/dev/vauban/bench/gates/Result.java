package dev.vauban.bench.gates;

import dev.vauban.bench.Machine;
import java.util.List;
import java.util.Map;

/**
 * What was measured of one trained recipe; accuracies are from 0 to 1. Written as JSON.
 *
 * @param recipe key of the recipe
 * @param seed of initial weights, training episodes and training attack
 * @param iterations meta-steps of training
 * @param episodes evaluation episodes, the same for every recipe and seed
 * @param trainSeconds wall time of training
 * @param evalSeconds wall time of all evaluations
 * @param clean accuracy on clean queries
 * @param cleanHalf half-width of its 95% interval
 * @param robust by radius in 1/255 (4, 8, 16, 32): PGD-10 on the adapted weights
 * @param few how many of the episodes the other attacks saw
 * @param other at 16/255 by name, on these episodes: {@code fgsm}, {@code fgsm-rs}, {@code pgd-10},
 *     {@code pgd-40}, and {@code transfer} for PGD-10 crafted on the weights before adaptation
 * @param atZero largest difference, on these episodes, of robust accuracy at radius 0 from clean
 * @param id90 intrinsic dimension of the features at the meta-parameters
 * @param effectiveRank its smooth sibling
 * @param excess the most that any checked adversarial pixel lies outside the ball or [0,1]
 * @param checkedImages how many images that is the maximum of
 * @param cleanDrift largest difference of an episode's clean accuracy between attack radii: not 0
 *     if an attack touched the support set
 * @param machine where it was measured
 */
public record Result(
    String recipe,
    long seed,
    int iterations,
    int episodes,
    double trainSeconds,
    double evalSeconds,
    double clean,
    double cleanHalf,
    Map<String, Score> robust,
    int few,
    Map<String, Score> other,
    double atZero,
    int id90,
    double effectiveRank,
    double excess,
    int checkedImages,
    double cleanDrift,
    Machine machine) {
  /** Radii of the accuracy curve in 1/255. */
  public static final List<Integer> RADII = List.of(4, 8, 16, 32);

  /** The attacks at 16/255 on a few episodes, by their names in {@code other}. */
  private static final List<String> OTHERS =
      List.of("fgsm", "fgsm-rs", "pgd-10", "pgd-40", "transfer");

  /**
   * An accuracy.
   *
   * @param mean 0 to 1
   * @param half half-width of its 95% interval
   */
  public record Score(double mean, double half) {}

  /** Whether everything that the gates look at is there; a file may have been cut or edited. */
  boolean complete() {
    return recipe != null
        && machine != null
        && robust != null
        && RADII.stream().allMatch(radius -> robust.get(Integer.toString(radius)) != null)
        && other != null
        && OTHERS.stream().allMatch(attack -> other.get(attack) != null);
  }

  /** Accuracy under PGD-10 at a radius in 1/255, in percent. */
  public double robustPercent(int radius) {
    return 100 * robust.get(Integer.toString(radius)).mean();
  }

  /** Accuracy on clean queries in percent. */
  public double cleanPercent() {
    return 100 * clean;
  }

  /** Accuracy under another attack at 16/255, in percent. */
  public double otherPercent(String attack) {
    return 100 * other.get(attack).mean();
  }
}
