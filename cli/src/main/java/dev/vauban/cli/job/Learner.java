package dev.vauban.cli.job;

import dev.vauban.cli.config.Method;
import dev.vauban.cli.config.Model;
import dev.vauban.cli.config.Order;
import dev.vauban.cli.config.Regularizer;
import dev.vauban.cli.config.TrainAttack;
import dev.vauban.cli.config.Views;
import java.nio.file.Path;

/**
 * Which meta-learner and which network.
 *
 * @param method the algorithm
 * @param model the network
 * @param filters filters per convolution; null for a network with widths of its own
 * @param innerSteps gradient steps of adaptation while training
 * @param innerRate their step size
 * @param order how far gradients flow through adaptation
 * @param gamma the weight of the robust loss (robust methods)
 * @param trainAttack the attack in the robust loss
 * @param trainAttackSteps its steps
 * @param eps its L-infinity budget as a fraction of the pixel range
 * @param details what only some methods know
 */
public record Learner(
    Method method,
    Model model,
    Integer filters,
    int innerSteps,
    double innerRate,
    Order order,
    double gamma,
    TrainAttack trainAttack,
    int trainAttackSteps,
    double eps,
    Details details) {

  /** A learner with {@link Details#USUAL}. */
  public Learner(
      Method method,
      Model model,
      Integer filters,
      int innerSteps,
      double innerRate,
      Order order,
      double gamma,
      TrainAttack trainAttack,
      int trainAttackSteps,
      double eps) {
    this(
        method,
        model,
        filters,
        innerSteps,
        innerRate,
        order,
        gamma,
        trainAttack,
        trainAttackSteps,
        eps,
        Details.USUAL);
  }

  /**
   * What only some methods know.
   *
   * @param regularizer the robust loss of R-MAML
   * @param views the augmentation (rmaml-cl, mavrl, rfs)
   * @param contrast weight of the contrastive loss or of the views' agreement
   * @param unlabeled images without labels of each task
   * @param copies of each support image in a fit (rfs)
   * @param batch images of a step of pre-training (rfs)
   * @param teacher the run whose network teaches the pre-training (rfs); null for none
   */
  public record Details(
      Regularizer regularizer,
      Views views,
      double contrast,
      int unlabeled,
      int copies,
      int batch,
      Path teacher) {
    /** The defaults of the command line. */
    public static final Details USUAL =
        new Details(Regularizer.CROSS_ENTROPY, Views.SUITED, 0.1, 25, 5, 64, null);
  }
}
