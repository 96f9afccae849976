package dev.vauban.adversarial.blackbox;

import dev.vauban.tensor.Key;

/**
 * Proposes adversarial candidates from what it knows beforehand, for example from models of its own
 * or from earlier images: what an attack by queries would have to find out anew for each image. A
 * {@link GuidedCampaign} asks about the candidates, tells the guide what was answered, and lets an
 * attack begin where the candidates ended.
 *
 * <p>A guide serves one thread and one campaign, whose images it gets to see in order: it may learn
 * from one for the next.
 */
public interface Guide extends AutoCloseable {
  /** For tables: a name in lower case. */
  String name();

  /**
   * How many images it is shown at a time, at least 1. More of them make better use of the
   * processor; what was answered for an image serves only those after its group.
   */
  int together();

  /**
   * One candidate for each image. Those outside of the threat are moved into it.
   *
   * @param images 1 to {@link #together} images, each [H,W,C] in row-major order, in [0,1]
   * @param labels their classes
   * @param round 0 for the first candidate of an image, 1 for the second, and so on
   * @param keys of the randomness of each image in this round
   * @return images of the same size
   */
  float[][] propose(float[][] images, int[] labels, int round, Key[] keys);

  /**
   * Receives what the oracle answered: first for images as they were, then for candidates.
   *
   * @param images each [H,W,C]; not kept
   * @param answers with scores, if the oracle gives any
   */
  void learn(float[][] images, Answers answers);

  /** Releases what it holds. */
  @Override
  void close();
}
