package dev.vauban.nn.augment;

import dev.vauban.nn.NearestName;
import dev.vauban.tensor.Shape;
import java.util.List;
import java.util.Locale;

/** Usual augmentations by name. */
public final class Augmentations {
  private static final List<String> NAMES = List.of("none", "strokes", "photos", "shift-flip");

  private Augmentations() {}

  /** The names that {@link #named} knows. */
  public static List<String> names() {
    return NAMES;
  }

  /**
   * The augmentation of this name.
   *
   * <ul>
   *   <li>{@code none}
   *   <li>{@code strokes}: for characters and drawings, {@link #strokes}
   *   <li>{@code photos}: for colour images, {@link #photos}
   *   <li>{@code shift-flip}: crop with 4 pixels of padding, and flip: supervised training on CIFAR
   * </ul>
   *
   * @throws IllegalArgumentException if there is no such augmentation, with the nearest name
   */
  public static Augmentation named(String name) {
    return switch (name.strip().toLowerCase(Locale.ROOT)) {
      case "none" -> Augmentation.none();
      case "strokes" -> strokes();
      case "photos" -> photos();
      case "shift-flip" -> Augmentation.all(new Crop(4), new Flip(0.5));
      default ->
          throw new IllegalArgumentException(NearestName.unknown("augmentation", name, NAMES));
    };
  }

  /** {@link #strokes} for images of one channel, else {@link #photos}; for images [H,W,C]. */
  public static Augmentation suited(Shape image) {
    return image.dim(-1) == 1 ? strokes() : photos();
  }

  /**
   * Views of characters: turned by up to 15 degrees, shifted by up to 2 pixels, scaled by 0.9 to
   * 1.1, half of them blurred. No flip, which would make another character.
   */
  public static Augmentation strokes() {
    return Augmentation.all(new Affine(15, 2, 0.9, 1.1, 0), new Blur(1, 0.3, 0.8, 0.5));
  }

  /**
   * Views of photos as in contrastive learning on small images (SimCLR's, RoCL's): a window of 54%
   * to all of the area, flip, jitter 0.4 (hue 0.1), a fifth of them grey.
   */
  public static Augmentation photos() {
    return Augmentation.all(
        new ResizedCrop(0.54, 1, 4 / 3.0),
        new Flip(0.5),
        new ColourJitter(0.4, 0.4, 0.4, 0.1),
        new Grey(0.2));
  }
}
