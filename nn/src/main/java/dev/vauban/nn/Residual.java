package dev.vauban.nn;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.ShapeException;
import dev.vauban.tensor.Tree;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A residual block: {@code relu(main(x) + shortcut(x))}. Weights: {@code main/...} and {@code
 * shortcut/...}, the latter only where the shortcut has any.
 *
 * <p>Paper: <a href="https://arxiv.org/abs/1512.03385">He et al. 2016</a>, eq. 1 and 2.
 *
 * @param main what is learned on top of the shortcut
 * @param shortcut the input itself ({@code sequential()} of nothing), or a projection of it
 */
public record Residual(Layer main, Layer shortcut) implements Composite {
  private static final String MAIN = "main";
  private static final String SHORTCUT = "shortcut";

  /** With the input itself as shortcut: {@code main} must not change its shape. */
  public static Residual identity(Layer main) {
    return new Residual(main, Layers.sequential());
  }

  @Override
  public String kind() {
    return "residual";
  }

  @Override
  public Shape output(Shape in) {
    Shape a = main.output(in);
    Shape b = shortcut.output(in);
    if (!a.equals(b)) {
      throw new ShapeException(
          "residual: main path " + a + " and shortcut " + b + " differ for an input of " + in);
    }
    return a;
  }

  @Override
  public Tree<Weight> weights(Shape in) {
    Tree<Weight> w = Tree.of(MAIN, main.weights(in));
    Tree<Weight> s = shortcut.weights(in);
    return s.size() > 0 ? w.with(SHORTCUT, s) : w;
  }

  @Override
  public Map<String, Layer> parts() {
    Map<String, Layer> parts = new LinkedHashMap<>();
    parts.put(MAIN, main);
    parts.put(SHORTCUT, shortcut);
    return parts;
  }

  @Override
  public Expr apply(Tree<Expr> w, Expr x, Each each) {
    Tree<Expr> projection = w.children().getOrDefault(SHORTCUT, Tree.empty());
    Expr y = each.apply(MAIN, main, w.sub(MAIN), x);
    return y.add(each.apply(SHORTCUT, shortcut, projection, x)).relu();
  }

  /** Main path and projection in brackets. */
  @Override
  public String toString() {
    return "residual (" + main + (shortcut.toString().isEmpty() ? ")" : " + " + shortcut + ")");
  }
}
