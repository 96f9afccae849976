package dev.vauban.nn;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Tree;
import java.util.Map;

/**
 * A layer made of layers. Its value can be computed with another function in place of a part's own,
 * which is how {@link BatchStatistics} looks inside.
 */
public sealed interface Composite extends Layer permits Sequential, Residual {
  /** How one part is applied. */
  @FunctionalInterface
  interface Each {
    /**
     * The value of a part.
     *
     * @param name the name under which the part's weights are filed
     * @param part the layer
     * @param w the part's own weights
     * @param x its input [N, in...]
     * @return [N, out...]
     */
    Expr apply(String name, Layer part, Tree<Expr> w, Expr x);
  }

  /** The parts by the names under which their weights are filed, in the order of application. */
  Map<String, Layer> parts();

  /** The layer's value, its parts applied by {@code each}. */
  Expr apply(Tree<Expr> w, Expr x, Each each);

  @Override
  default Expr apply(Tree<Expr> w, Expr x) {
    return apply(w, x, (name, part, own, in) -> part.apply(own, in));
  }
}
