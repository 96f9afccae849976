package dev.vauban.nn;

import dev.vauban.tensor.Tree;
import java.util.Objects;

/**
 * Inputs and targets. In a traced function the batch may carry a random key: randomness is data, so
 * a loss that draws numbers (an adversarial one) takes them from {@link #key}.
 *
 * @param x inputs [N,...]
 * @param y targets: labels I32 [N] or values [N,...]
 * @param randomness a key I32 [2], or null if there is none
 * @param <T> {@link dev.vauban.tensor.Expr}, {@link dev.vauban.tensor.Tensor} or {@link
 *     dev.vauban.tensor.Type}
 */
public record Batch<T>(T x, T y, T randomness) {
  /** Checks that inputs and targets are there. */
  public Batch {
    Objects.requireNonNull(x, "x");
    Objects.requireNonNull(y, "y");
  }

  /** A batch without a key. */
  public Batch(T x, T y) {
    this(x, y, null);
  }

  /** This batch with a key. */
  public Batch<T> withKey(T key) {
    return new Batch<>(x, y, key);
  }

  /** This batch with other inputs. */
  public Batch<T> withX(T x) {
    return new Batch<>(x, y, randomness);
  }

  /**
   * The key.
   *
   * @throws IllegalStateException if there is none
   */
  public T key() {
    if (randomness == null) {
      throw new IllegalStateException(
          "this loss draws random numbers but its batch has no key; use batch.withKey(key)");
    }
    return randomness;
  }

  /** The tree of inputs and targets, {@code x} and {@code y}; the key is not part of it. */
  public Tree<T> tree() {
    return Tree.of("x", x, "y", y);
  }

  /** The batch of a tree with leaves {@code x} and {@code y}. */
  public static <T> Batch<T> of(Tree<T> tree) {
    return new Batch<>(tree.get("x"), tree.get("y"));
  }
}
