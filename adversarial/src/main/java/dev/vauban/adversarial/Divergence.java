package dev.vauban.adversarial;

import dev.vauban.nn.Batch;
import dev.vauban.nn.Loss;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Tree;

/**
 * The second term of {@link Trades} alone: the mean over the images of KL(p(x) || p(x')), where x'
 * maximises it. As a regulariser it asks for predictions that attacks leave as they are, and needs
 * no labels. The gradient flows through both arguments.
 *
 * @param net the network
 * @param attack maximises the divergence, from a start that is not the image itself
 */
public record Divergence(Classifier net, Attack attack) implements Loss {
  @Override
  public Expr of(Tree<Expr> w, Batch<Expr> batch) {
    return mean(net, attack, w, batch.x(), batch.key());
  }

  /**
   * The mean divergence of these images.
   *
   * @param x images [N,...]
   * @param key I32 [2]
   * @return a scalar
   * @throws IllegalArgumentException if the attack begins at the image itself
   */
  public static Expr mean(Classifier net, Attack attack, Tree<Expr> w, Expr x, Expr key) {
    if (attack.beginsAtImage()) {
      throw new IllegalArgumentException(
          "the divergence has no gradient at the image itself, where "
              + attack
              + " begins; use an attack with a random start");
    }
    Expr clean = net.logits(w, x);
    Expr adv = attack.perturb(z -> Trades.divergence(clean, net.logits(w, z)), x, key);
    return Trades.divergence(clean, net.logits(w, adv)).mean();
  }

  @Override
  public String toString() {
    return "divergence, " + attack;
  }
}
