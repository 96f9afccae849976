package dev.vauban.bench.libtorch;

import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** Gradients by libtorch. */
final class Autograd {
  private Autograd() {}

  /** The same values as a new leaf. What set_requires_grad returns would not own its memory. */
  static Tensor leaf(Tensor t) {
    Tensor leaf = t.detach();
    leaf.set_requires_grad(true);
    return leaf;
  }

  /** The gradient of a scalar that is needed once. */
  static TensorVector grad(Tensor loss, Tensor... inputs) {
    return grad(loss, inputs, false, false);
  }

  /**
   * The gradient of a scalar.
   *
   * @param retain whether the scalar's graph is used again
   * @param create whether the gradient is differentiated itself
   */
  static TensorVector grad(Tensor loss, Tensor[] inputs, boolean retain, boolean create) {
    return torch.grad(
        new TensorVector(loss),
        new TensorVector(inputs),
        new TensorVector(),
        new BoolOptional(retain),
        create,
        false);
  }
}
