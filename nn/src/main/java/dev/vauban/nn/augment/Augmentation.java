package dev.vauban.nn.augment;

import dev.vauban.tensor.Expr;
import java.util.List;

/**
 * A random change of a batch of images. Every image draws its own numbers; the same key gives the
 * same change. Augmentations compose with {@link #then}, and a user's own is one lambda.
 *
 * <p>Differentiable in the images, so that an attack may see through one.
 */
@FunctionalInterface
public interface Augmentation {
  /**
   * The changed images.
   *
   * <p>Shape: [N,H,W,C] → [N,H,W,C]. Units: pixels in [0,1], which the results keep to.
   *
   * @param x the images
   * @param key I32 [2]
   */
  Expr apply(Expr x, Expr key);

  /** This one, then {@code next}, with independent keys. */
  default Augmentation then(Augmentation next) {
    return all(this, next);
  }

  /** One after another; number i draws from the key folded with i. */
  static Augmentation all(Augmentation... each) {
    return new Chain(List.of(each));
  }

  /** The images as they are. */
  static Augmentation none() {
    return all();
  }

  /**
   * Augmentations one after another.
   *
   * @param each in the order of application
   */
  record Chain(List<Augmentation> each) implements Augmentation {
    /** Copies the list. */
    public Chain {
      each = List.copyOf(each);
    }

    @Override
    public Expr apply(Expr x, Expr key) {
      Expr y = x;
      for (int i = 0; i < each.size(); i++) {
        y = each.get(i).apply(y, key.fold(i));
      }
      return y;
    }
  }
}
