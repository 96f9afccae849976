package dev.vauban.bench.libtorch;

import dev.vauban.bench.peers.MetaStep;
import java.util.function.UnaryOperator;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/** Sign-gradient ascent within a ball around the images. */
record Ascent(MetaStep.Attack attack) {
  /**
   * The attacked images, part of the caller's scope.
   *
   * @param loss of images, a scalar
   * @param start where the ascent begins
   * @param image the ball's centre
   */
  Tensor attacked(UnaryOperator<Tensor> loss, Tensor start, Tensor image) {
    Tensor adversarial = start;
    PointerScope outer = PointerScope.getInnerScope();
    for (int k = 0; k < attack.steps(); k++) {
      try (PointerScope scope = new PointerScope()) {
        Tensor x = Autograd.leaf(adversarial);
        Tensor g = Autograd.grad(loss.apply(x), x).get(0);
        Tensor next = step(x.detach(), g, image);
        outer.attach(next); // outlives the inner scope
        adversarial = next;
      }
    }
    return adversarial;
  }

  /** One step along the gradient's sign, back into the ball and into [0,1]. */
  Tensor step(Tensor x, Tensor gradient, Tensor image) {
    Scalar eps = new Scalar(attack.eps());
    Tensor moved = x.add(gradient.sign(), new Scalar(attack.step()));
    Tensor inBall =
        torch.clamp(moved, new TensorOptional(image.sub(eps)), new TensorOptional(image.add(eps)));
    inBall.clamp_(new ScalarOptional(new Scalar(0.0)), new ScalarOptional(new Scalar(1.0)));
    return inBall;
  }
}
