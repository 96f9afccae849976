package dev.vauban.bench.peers;

import dev.vauban.bench.peers.MetaStep.Values;
import dev.vauban.tensor.Precision;
import java.io.Serializable;
import java.util.Map;

/**
 * An attack on a batch of images and, in adversarial training, a step on what it found. The result
 * by which programs are compared is the perturbation under the name {@code perturbation}, or the
 * gradient by path of the weights.
 *
 * @param network its architecture
 * @param norms what batch normalisation does
 * @param weights by path, in the network's order
 * @param images [N,H,W,C]
 * @param start images [N,H,W,C] from which the attack sets out
 * @param labels a class each
 * @param ascent how the attack climbs
 * @param attack on the loss of the images; APGD has no use for the length of its steps
 * @param update of the weights by the attacked images' loss, or null if only those are wanted
 * @param precision the lowest in which large products may be computed
 */
public record BatchStep(
    Network network,
    Norms norms,
    Map<String, Values> weights,
    Values images,
    Values start,
    int[] labels,
    Ascent ascent,
    MetaStep.Attack attack,
    Momentum update,
    Precision precision)
    implements PeerProgram {

  /** An architecture. */
  public enum Network {
    /** {@link dev.vauban.nn.Conv4#maxPooled}. */
    CONV4,
    /** {@link dev.vauban.nn.ResNet#eighteen}. */
    RESNET18
  }

  /** An attack's way up. */
  public enum Ascent {
    /** Signed gradients in steps of one length; the last point counts. */
    PGD,
    /** {@link dev.vauban.adversarial.Apgd} on each image's cross-entropy; the best point counts. */
    APGD
  }

  /** What batch normalisation does. */
  public enum Norms {
    /** Nothing: it is folded into the convolutions, which have biases. */
    FOLDED,
    /** It uses the statistics of the batch, in the attack too. */
    BATCH
  }

  /**
   * Gradient descent with momentum from a velocity of 0.
   *
   * @param rate learning rate
   * @param momentum share of the old velocity
   */
  public record Momentum(double rate, double momentum) implements Serializable {}
}
