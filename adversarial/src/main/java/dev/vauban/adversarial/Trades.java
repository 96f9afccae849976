package dev.vauban.adversarial;

import dev.vauban.nn.Batch;
import dev.vauban.nn.Loss;
import dev.vauban.nn.Losses;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Tree;

/**
 * TRADES (Zhang et al. 2019, <a href="https://arxiv.org/abs/1901.08573">arXiv 1901.08573</a>,
 * Algorithm 1): cross-entropy of the clean images plus beta times the mean divergence KL(p(x) ||
 * p(x')), where x' maximises that divergence. The gradient flows through both arguments, as in the
 * authors' code.
 *
 * @param net the network
 * @param attack maximises the divergence; the divergence has no gradient at the image itself, so
 *     the attack must start elsewhere ({@link Start#NEAR} in the paper, {@link Start#RANDOM} in
 *     R-MAML's version)
 * @param beta weight of the divergence; 6 in the paper on CIFAR-10
 */
public record Trades(Classifier net, Attack attack, double beta) implements Loss {
  @Override
  public Expr of(Tree<Expr> w, Batch<Expr> batch) {
    Expr clean = Losses.crossEntropy(net.logits(w, batch.x()), batch.y()).mean();
    return clean.add(Divergence.mean(net, attack, w, batch.x(), batch.key()).mul(beta));
  }

  /**
   * KL(softmax(clean) || softmax(adversarial)) of each image, from logits [N,C].
   *
   * @return [N]
   */
  public static Expr divergence(Expr clean, Expr adversarial) {
    return Losses.kl(adversarial, clean);
  }

  @Override
  public String toString() {
    return "trades beta " + beta + ", " + attack;
  }
}
