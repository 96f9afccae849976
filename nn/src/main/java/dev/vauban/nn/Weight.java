package dev.vauban.nn;

import dev.vauban.tensor.Key;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;

/**
 * What a layer needs of one of its weights: its type and how it starts.
 *
 * @param type element type and shape
 * @param init how it starts
 * @param fanIn inputs that one weight connects; at least 1
 * @param fanOut outputs that one weight connects; at least 1
 */
public record Weight(Type type, Init init, int fanIn, int fanOut) {
  /** A weight that starts at 0. */
  public static Weight zeros(int... dims) {
    return new Weight(Type.f32(dims), Init.ZEROS, 1, 1);
  }

  /** A weight that starts at 1. */
  public static Weight ones(int... dims) {
    return new Weight(Type.f32(dims), Init.ONES, 1, 1);
  }

  /** The types of weights. */
  public static Tree<Type> types(Tree<Weight> weights) {
    return weights.map(Weight::type);
  }

  /**
   * Initial values. Leaf number i draws from {@code key.fold(i)}, element by element, so that the
   * same key gives the same weights on every device.
   */
  public static Tree<Tensor> init(Tree<Weight> weights, Scope scope, Key key) {
    int[] leaf = {0};
    return weights.map(w -> w.start(scope.tensor(w.type), key.fold(leaf[0]++)));
  }

  private Tensor start(Tensor t, Key key) {
    for (long i = 0; i < t.size(); i++) {
      t.set(i, init.value(key, i, fanIn, fanOut));
    }
    return t;
  }
}
