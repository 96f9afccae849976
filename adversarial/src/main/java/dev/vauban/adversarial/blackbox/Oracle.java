package dev.vauban.adversarial.blackbox;

import dev.vauban.tensor.Shape;

/**
 * Something that classifies images and shows nothing else of itself: a model of Vauban ({@link
 * ModelOracle}), a model in another runtime, a program or a service. One image in one call is one
 * query.
 *
 * <p>An oracle answers each image on its own, whatever else is in the call. It serves one thread.
 */
public interface Oracle extends AutoCloseable {
  /** What an oracle says of an image. */
  enum Reply {
    /** A score for every class, larger for the likelier: logits, probabilities, or alike. */
    SCORES,
    /** The class alone. */
    LABELS
  }

  /** What it says. */
  Reply reply();

  /** Shape of one image, [H,W,C]. */
  Shape image();

  /** Number of classes. */
  int classes();

  /** The most images of one call. */
  int largestBatch();

  /**
   * Asks.
   *
   * @param images 1 to {@link #largestBatch} images, each [H,W,C] in row-major order, in [0,1];
   *     neither kept nor changed
   * @return one answer for each
   * @throws OracleException if there is no usable answer
   */
  Answers ask(float[][] images);

  /** Releases what it holds. */
  @Override
  void close();
}
