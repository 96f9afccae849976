package dev.vauban.adversarial;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Grad;
import java.util.function.UnaryOperator;

/**
 * Looks for images near {@code x} on which a loss is high. An attack knows no model and no label:
 * targeted, untargeted and margin attacks differ only in the loss.
 *
 * <p>The whole of {@code x} goes through the loss at once. Where the model normalises by batch
 * statistics the images of a batch therefore depend on one another, in crafting as in scoring; that
 * is what the evaluation protocols of few-shot learning ask for.
 */
@FunctionalInterface
public interface Attack {
  /**
   * Adversarial images.
   *
   * @param loss images [N,...] to a loss for each image [N], or to their sum or mean as a scalar
   * @param x the images [N,...], in [0,1]
   * @param key I32 [2]; the same key gives the same images
   * @return images [N,...] in [0,1], within the attack's ball around {@code x}. Gradient: none
   */
  Expr perturb(UnaryOperator<Expr> loss, Expr x, Expr key);

  /**
   * Whether it begins at the image itself. Such an attack cannot raise a loss that is lowest there,
   * like the {@link Divergence} from what the model says of the image: the gradient is 0.
   */
  default boolean beginsAtImage() {
    return false;
  }

  /**
   * The gradient of the summed loss: for each image that of its own loss, where images do not mix.
   */
  static Expr ascent(UnaryOperator<Expr> loss, Expr x) {
    return Grad.grad(a -> total(loss.apply(a)), x);
  }

  private static Expr total(Expr loss) {
    return loss.shape().rank() == 0 ? loss : loss.sum();
  }
}
