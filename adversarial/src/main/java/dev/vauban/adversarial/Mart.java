package dev.vauban.adversarial;

import dev.vauban.nn.Batch;
import dev.vauban.nn.Loss;
import dev.vauban.nn.Losses;
import dev.vauban.nn.Softmax;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Tree;

/**
 * MART (Wang et al. 2020, "Improving adversarial robustness requires revisiting misclassified
 * examples", eq. 11): a boosted cross-entropy of the adversarial images plus beta times the
 * divergence of clean and adversarial predictions, weighted by how unsure the clean prediction is.
 * The small constants are those of the authors' code.
 *
 * @param net the network
 * @param attack maximises the cross-entropy
 * @param beta weight of the divergence; 5 or 6 in the paper
 */
public record Mart(Classifier net, Attack attack, double beta) implements Loss {
  @Override
  public Expr of(Tree<Expr> w, Batch<Expr> batch) {
    Expr y = batch.y();
    Expr adv =
        attack.perturb(x -> Losses.crossEntropy(net.logits(w, x), y), batch.x(), batch.key());
    Expr advLogits = net.logits(w, adv);
    Expr p = Softmax.of(advLogits, -1);
    Expr clean = Softmax.of(net.logits(w, batch.x()), -1);
    Expr label = y.oneHot(p.shape().dim(-1)).cast(p.dtype());

    Expr otherLargest = Expr.select(label, p.zeros(), p).maxOver(-1);
    Expr margin = otherLargest.rsub(1.0001).add(1e-12).log().neg();
    Expr boosted = Losses.crossEntropy(advLogits, y).mean().add(margin.mean());

    Expr logp = p.add(1e-12).log();
    Expr divergence = clean.mul(clean.log().sub(logp)).sum(-1);
    Expr unsure = clean.mul(label).sum(-1).rsub(1.0000001);
    return boosted.add(divergence.mul(unsure).mean().mul(beta));
  }

  @Override
  public String toString() {
    return "mart beta " + beta + ", " + attack;
  }
}
