package dev.vauban.nn;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.ShapeException;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;

/**
 * A pure function of weights and a batch. A layer holds hyper-parameters only; the weights are a
 * tree that the caller passes, so an adapted copy of a network is nothing but another tree.
 *
 * <p>Shapes given to {@link #weights} and {@link #output} are those of one example, without the
 * batch: {@code [28,28,1]} for an image. {@link #apply} takes the batch {@code [N,28,28,1]}.
 *
 * <p>The layers of this package are made by the methods of {@link Layers}; user code may implement
 * this interface too.
 */
public interface Layer {
  /** A short name of the kind of layer, used to name its weights within {@link Sequential}. */
  String kind();

  /**
   * The shape of one output for inputs of shape {@code in}.
   *
   * @throws ShapeException if the layer cannot take such an input; the message names the layer
   */
  Shape output(Shape in);

  /** The weights for inputs of shape {@code in}; an empty tree if there are none. */
  Tree<Weight> weights(Shape in);

  /**
   * The layer's value.
   *
   * @param w weights as {@link #weights} describes them
   * @param x a batch [N, in...]
   * @return [N, out...]
   */
  Expr apply(Tree<Expr> w, Expr x);

  /** The types of the weights for inputs of shape {@code in}. */
  default Tree<Type> types(Shape in) {
    return Weight.types(weights(in));
  }

  /** Initial weights for inputs of shape {@code in}. */
  default Tree<Tensor> init(Shape in, Scope scope, Key key) {
    return Weight.init(weights(in), scope, key);
  }
}
