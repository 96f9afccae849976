package dev.vauban.nn;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import java.util.ArrayList;
import java.util.List;

/**
 * A network for inputs of a fixed shape, in two parts: a body that makes features and a head that
 * makes logits of them. The weights are a tree of {@code body/...} and {@code head/...}, so that
 * methods which adapt only one of them (ANIL, BOIL) take a subtree.
 *
 * @param name the name under which {@link Models} knows it, or a name of the user's
 * @param input shape of one example, for example [28,28,1]
 * @param body inputs to features
 * @param head features to logits
 */
public record Model(String name, Shape input, Layer body, Layer head) {
  /**
   * Checks that the parts fit.
   *
   * @throws dev.vauban.tensor.ShapeException if a layer cannot take what it gets
   */
  public Model {
    head.output(body.output(input));
  }

  /** The weights: types and initial values. */
  public Tree<Weight> weights() {
    return Tree.<Weight>empty()
        .with("body", body.weights(input))
        .with("head", head.weights(body.output(input)));
  }

  /** The types of the weights. */
  public Tree<Type> types() {
    return Weight.types(weights());
  }

  /** Initial weights. */
  public Tree<Tensor> init(Scope scope, Key key) {
    return Weight.init(weights(), scope, key);
  }

  /** Number of weights. */
  public long size() {
    return types().leaves().stream().mapToLong(t -> t.shape().size()).sum();
  }

  /** Shape of one example's features: what comes before the last layer. */
  public Shape featureShape() {
    return body.output(input);
  }

  /** Shape of one example's logits. */
  public Shape outputShape() {
    return head.output(body.output(input));
  }

  /**
   * Where the weights of the batch norms are, for example {@code body/block1/norm1}: the subtrees
   * with {@code scale} and {@code shift}.
   */
  public List<String> batchNorms() {
    List<String> found = new ArrayList<>();
    find("body", body, found);
    find("head", head, found);
    return found;
  }

  private static void find(String path, Layer layer, List<String> found) {
    if (layer instanceof Norm norm && norm.over() == Norm.Over.BATCH) {
      found.add(path);
    }
    if (layer instanceof Composite composite) {
      composite.parts().forEach((name, part) -> find(path + "/" + name, part, found));
    }
  }

  /** This network with another head: for example for another number of classes. */
  public Model withHead(Layer other) {
    return new Model(name, input, body, other);
  }

  /** Penultimate features of a batch: [N, input...] to [N, features...]. */
  public Expr features(Tree<Expr> w, Expr x) {
    return body.apply(w.sub("body"), x);
  }

  /** Logits of features. */
  public Expr classify(Tree<Expr> w, Expr features) {
    return head.apply(w.sub("head"), features);
  }

  /** Logits of a batch: [N, input...] to [N, ways]. */
  public Expr logits(Tree<Expr> w, Expr x) {
    return classify(w, features(w, x));
  }

  /** Name, input and layers. */
  @Override
  public String toString() {
    return name + " " + input + ": " + body + " | " + head;
  }
}
