package dev.vauban.tensor;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * In which precision the large products of a program are computed. Nothing else of a program
 * depends on it: a model, a meta-learner and an attack are written once, in F32, and take their
 * precision from the {@linkplain Device#in device} that compiles them or from {@link Program#in}.
 */
public enum Precision {
  /** All in F32, as written. */
  F32,

  /**
   * Operands of large products are stored in BF16, half the bytes with 8 bits of precision: those
   * of convolutions with at least 16 channels and filters per group, and of matrix products of at
   * least 64 x 64 x 64. Products are summed up in F32, and all else stays in F32: parameters and
   * their gradients, normalisation and its statistics, losses, optimisers, images before the first
   * layer.
   *
   * <p>A device may leave operands in F32 where its kernels for F32 are as quick ({@link
   * Device#rounds}).
   *
   * <p>It is a rewriting of the finished program, so gradients of every order are those of the F32
   * program with operands rounded: each product of a backward pass rounds its own operands, and a
   * rounding has the derivative 1.
   */
  BF16;

  /** The name on the command line and in files: {@code f32}, {@code bf16}. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  @Override
  public String toString() {
    return label();
  }

  /**
   * The precision of this name.
   *
   * @throws IllegalArgumentException if there is none; the message lists what there is
   */
  public static Precision named(String label) {
    for (Precision p : values()) {
      if (p.label().equals(label.strip().toLowerCase(Locale.ROOT))) {
        return p;
      }
    }
    throw new IllegalArgumentException(
        "there is no precision '%s'; use %s"
            .formatted(
                label,
                Arrays.stream(values()).map(Precision::label).collect(Collectors.joining(", "))));
  }
}
