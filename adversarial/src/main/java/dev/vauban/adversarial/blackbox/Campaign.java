package dev.vauban.adversarial.blackbox;

import dev.vauban.tensor.Key;

/**
 * A black-box attack on many images. The queries of all images still under attack go to the oracle
 * in common calls; an image leaves with its first success or the end of its budget. An image's
 * queries depend on its key and its answers alone, not on how many others are attacked with it.
 *
 * @param attack how each image is attacked
 * @param threat what counts as a success
 * @param budget the most queries for an image, at least 1; whether the clean image is right is
 *     asked apart
 * @param together the most images under attack at a time, at least 1: bounds the memory
 */
public record Campaign(BlackBoxAttack attack, Threat threat, int budget, int together) {
  private static final int TOGETHER = 256;

  /** Checks the numbers, and that the attack works in the threat's metric. */
  public Campaign {
    if (budget < 1 || together < 1) {
      throw new IllegalArgumentException(
          "at least 1 query per image and 1 image at a time, not " + budget + " and " + together);
    }
    if (!attack.metrics().contains(threat.metric())) {
      throw new IllegalArgumentException(
          "%s works in %s, not in %s"
              .formatted(attack.name(), attack.metrics().iterator().next(), threat.metric()));
    }
  }

  /** With up to 256 images at a time. */
  public Campaign(BlackBoxAttack attack, Threat threat, int budget) {
    this(attack, threat, budget, TOGETHER);
  }

  /** Receives the progress of a campaign, in its thread; may throw to end it. */
  @FunctionalInterface
  public interface Progress {
    /**
     * After each call.
     *
     * @param done images whose attack has ended
     * @param sent queries so far
     */
    void at(int done, long sent);
  }

  /**
   * Attacks without limits but the budget.
   *
   * @see #run(MeteredOracle, float[][], int[], Key, Progress)
   */
  public QueryResult run(Oracle oracle, float[][] images, int[] labels, Key key) {
    return run(new MeteredOracle(oracle, Limits.NONE), images, labels, key, (done, sent) -> {});
  }

  /**
   * Attacks. If the oracle fails or its cap is reached, what was found so far is the result, and
   * {@link QueryResult#ended} says why; only a mistake in the arguments is an exception.
   *
   * @param oracle whom to ask; stays open
   * @param images each [H,W,C] in row-major order, in [0,1]
   * @param labels their classes
   * @param key of all randomness; image i's is {@code key.fold(i)}
   * @param progress told after each call
   * @throws IllegalArgumentException if images, labels and oracle do not fit one another
   */
  public QueryResult run(
      MeteredOracle oracle, float[][] images, int[] labels, Key key, Progress progress) {
    check(oracle, images, labels);
    CampaignRun run = new CampaignRun(this, oracle, images, labels, key, progress);
    return run.result(
        attack.name(),
        () -> {
          run.askClean();
          run.attack(run.standing(), number -> Opening.NONE);
        });
  }

  /** Refuses what does not fit. */
  void check(Oracle oracle, float[][] images, int[] labels) {
    if (attack.needs() == Oracle.Reply.SCORES && oracle.reply() == Oracle.Reply.LABELS) {
      throw new IllegalArgumentException(
          attack.name() + " needs scores, but the oracle gives labels alone");
    }
    if (images.length != labels.length) {
      throw new IllegalArgumentException(images.length + " images, " + labels.length + " labels");
    }
    for (int i = 0; i < images.length; i++) {
      if (images[i].length != oracle.image().size()) {
        throw new IllegalArgumentException(
            "image %d has %d values; the oracle takes images of %s"
                .formatted(i, images[i].length, oracle.image()));
      }
      if (labels[i] < 0 || labels[i] >= oracle.classes()) {
        throw new IllegalArgumentException(
            "image %d is of class %d; the oracle tells %d apart"
                .formatted(i, labels[i], oracle.classes()));
      }
    }
  }
}
