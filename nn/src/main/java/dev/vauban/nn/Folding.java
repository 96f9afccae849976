package dev.vauban.nn;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.ShapeException;
import dev.vauban.tensor.Tree;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A model without its batch norms: each convolution right before one has taken over what the norm
 * does at fixed {@link BatchStatistics}. With {@code s = scale / sqrt(variance + eps)} the
 * convolution's kernel is multiplied by s, filter by filter, and its bias becomes {@code (b - mean)
 * s + shift}. The folded model gives the same logits as {@link BatchStatistics#logits}, up to
 * rounding, and is what to use for inference and for attacks on a trained model:
 *
 * <pre>{@code
 * Model folded = Folding.of(model);
 * Tree<Expr> w = Folding.weights(model, trained, BatchStatistics.gather(model, trained, images));
 * Expr logits = folded.logits(w, x);
 * }</pre>
 *
 * <p>Layer and group norms stay, and so does what is inside a user's own layers.
 */
public final class Folding {
  private Folding() {}

  /**
   * The model whose convolutions have biases and take over the batch norms after them.
   *
   * @throws ShapeException if a batch norm does not follow a convolution directly
   */
  public static Model of(Model model) {
    return new Model(
        model.name() + "-folded", model.input(), layer(model.body()), layer(model.head()));
  }

  private static Layer layer(Layer layer) {
    return switch (layer) {
      case Sequential s -> new Sequential(s.kind(), layers(s));
      case Residual r -> new Residual(layer(r.main()), layer(r.shortcut()));
      case Norm n when isBatch(n) ->
          throw new ShapeException(
              "folding: a batch norm can be folded only into a convolution right before it");
      default -> layer;
    };
  }

  private static List<Layer> layers(Sequential s) {
    List<Layer> out = new ArrayList<>();
    for (int i = 0; i < s.layers().size(); i++) {
      if (isFolded(s, i)) {
        out.add(((Conv) s.layers().get(i++)).withBias());
      } else {
        out.add(layer(s.layers().get(i)));
      }
    }
    return out;
  }

  /** True if layer number i takes over the one after it. */
  private static boolean isFolded(Sequential s, int i) {
    return s.layers().get(i) instanceof Conv
        && i + 1 < s.layers().size()
        && isBatch(s.layers().get(i + 1));
  }

  private static boolean isBatch(Layer layer) {
    return layer instanceof Norm n && n.over() == Norm.Over.BATCH;
  }

  /**
   * The folded model's weights.
   *
   * @param model the model before folding
   * @param w its weights
   * @param statistics as {@link BatchStatistics#gather} makes them
   */
  public static Tree<Expr> weights(Model model, Tree<Expr> w, Tree<Expr> statistics) {
    return Tree.<Expr>empty()
        .with("body", weights(model.body(), sub(w, "body"), sub(statistics, "body")))
        .with("head", weights(model.head(), sub(w, "head"), sub(statistics, "head")));
  }

  private static Tree<Expr> sub(Tree<Expr> tree, String name) {
    return tree.children().getOrDefault(name, Tree.empty());
  }

  private static Tree<Expr> weights(Layer layer, Tree<Expr> w, Tree<Expr> statistics) {
    return switch (layer) {
      case Sequential s -> weights(s, w, statistics);
      case Residual r -> parts(w, statistics, Map.of("main", r.main(), "shortcut", r.shortcut()));
      default -> w;
    };
  }

  private static Tree<Expr> parts(Tree<Expr> w, Tree<Expr> statistics, Map<String, Layer> layers) {
    Map<String, Tree<Expr>> out = new LinkedHashMap<>();
    w.children()
        .forEach(
            (name, own) -> out.put(name, weights(layers.get(name), own, sub(statistics, name))));
    return Tree.of(out);
  }

  private static Tree<Expr> weights(Sequential s, Tree<Expr> w, Tree<Expr> statistics) {
    Tree<Expr> out = Tree.empty();
    List<String> names = s.names();
    // Names count the layers of a kind: a group norm after a folded one has another number.
    Iterator<String> after = new Sequential(s.kind(), layers(s)).names().iterator();
    for (int i = 0; i < names.size(); i++) {
      String name = names.get(i);
      String to = after.next();
      if (isFolded(s, i)) {
        String norm = names.get(++i);
        double eps = ((Norm) s.layers().get(i)).eps();
        out = out.with(to, folded(w.sub(name), w.sub(norm), statistics.sub(norm), eps));
      } else if (w.has(name)) {
        out = out.with(to, weights(s.layers().get(i), w.sub(name), sub(statistics, name)));
      }
    }
    return out;
  }

  private static Tree<Expr> folded(
      Tree<Expr> conv, Tree<Expr> norm, Tree<Expr> statistics, double eps) {
    Expr s = norm.get("scale").mul(statistics.get("variance").add(eps).rsqrt());
    Expr mean = statistics.get("mean");
    Expr offset = conv.has("b") ? conv.get("b").sub(mean) : mean.neg();
    return Tree.of("w", conv.get("w").mul(s), "b", offset.mul(s).add(norm.get("shift")));
  }
}
