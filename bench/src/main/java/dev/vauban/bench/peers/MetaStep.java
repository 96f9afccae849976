package dev.vauban.bench.peers;

import dev.vauban.meta.Order;
import dev.vauban.tensor.Precision;
import java.io.Serializable;
import java.util.List;
import java.util.Map;

/**
 * A meta-step as plain numbers. The network is {@link dev.vauban.nn.Conv4#maxPooled}. The result by
 * which programs are compared is the meta-gradient by path of the weights.
 *
 * <p>The step: for each task adapt on the support set by gradient descent, take the gradient of the
 * queries' loss at the adapted weights with respect to the initial ones, average over tasks, and
 * make Adam's first step with it.
 *
 * @param adaptation the inner loop
 * @param attack on the queries, or null; the outer loss is then clean plus attacked
 * @param adam the outer step
 * @param weights by path, in the network's order
 * @param tasks with their images
 * @param precision the lowest in which large products may be computed
 */
public record MetaStep(
    Adaptation adaptation,
    Attack attack,
    Adam adam,
    Map<String, Values> weights,
    List<Task> tasks,
    Precision precision)
    implements PeerProgram {

  /**
   * The inner loop.
   *
   * @param steps of gradient descent
   * @param rate their size
   * @param order of the meta-gradient
   * @param adapted which weights adapt
   */
  public record Adaptation(int steps, double rate, Order order, Adapted adapted)
      implements Serializable {}

  /** Which weights an inner step changes. */
  public enum Adapted {
    /** All: MAML. */
    ALL,
    /** The linear head: ANIL. */
    HEAD
  }

  /**
   * Sign-gradient ascent on the mean loss of the whole query batch: from {@link Task#start}, {@code
   * steps} times {@code clamp(clamp(x + step * sign(gradient), image ± eps), 0, 1)}. FGSM is one
   * step of length eps from the images themselves.
   *
   * @param eps the radius
   * @param step length of a step
   * @param steps how many
   */
  public record Attack(double eps, double step, int steps) implements Serializable {}

  /**
   * Adam's first step, from moments of 0.
   *
   * @param rate learning rate
   * @param beta1 of the first moment
   * @param beta2 of the second moment
   * @param eps added to the root of the second moment
   */
  public record Adam(double rate, double beta1, double beta2, double eps) implements Serializable {}

  /**
   * One task.
   *
   * @param support images [N,H,W,C] to adapt on
   * @param supportLabels a class each
   * @param query images [N,H,W,C] to be judged on
   * @param queryLabels a class each
   * @param start images [N,H,W,C] from which the attack sets out, or null where there is none; the
   *     very object {@code query} if it sets out from the images
   */
  public record Task(
      Values support, int[] supportLabels, Values query, int[] queryLabels, Values start)
      implements Serializable {}

  /**
   * An array.
   *
   * @param shape its dimensions
   * @param data its elements, row-major
   */
  public record Values(int[] shape, float[] data) implements Serializable {}
}
