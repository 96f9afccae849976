package dev.vauban.bench.libtorch;

import dev.vauban.bench.peers.MetaStep;
import dev.vauban.bench.peers.MetaStep.Adapted;
import dev.vauban.meta.Order;
import dev.vauban.tensor.Precision;
import java.util.Arrays;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * The meta-gradient of one task: adapt, attack, differentiate.
 *
 * @param step what to compute
 * @param precision of convolutions and matrix products
 */
record Episode(MetaStep step, Precision precision) {
  /** A task's tensors. */
  record Data(
      Tensor support, Tensor supportLabels, Tensor query, Tensor queryLabels, Tensor start) {}

  /**
   * The gradient for the initial weights.
   *
   * @param theta weights that require a gradient
   * @return to be closed by the caller, as it is not part of the caller's scope
   */
  TensorVector metaGradient(Tensor[] theta, Data task) {
    try (PointerScope scope = new PointerScope();
        Autocast autocast = new Autocast(precision)) {
      Tensor[] fast = adapted(theta, task);
      Tensor loss = outer(fast, task);
      // First order: the adapted weights are the initial ones minus constants, so that the
      // gradient for them is the gradient for those.
      boolean exact = step.adaptation().order() == Order.SECOND;
      TensorVector gradient = grad(loss, exact ? theta : fast, false, false);
      gradient.retainReference(); // outlives the scope
      return gradient;
    }
  }

  private Tensor[] adapted(Tensor[] theta, Data task) {
    boolean exact = step.adaptation().order() == Order.SECOND;
    boolean head = step.adaptation().adapted() == Adapted.HEAD;
    int from = head ? theta.length - 2 : 0;
    Tensor[] fast = exact ? theta.clone() : leaves(theta);
    // With a fixed body the support features are the same in every step.
    Tensor features = head ? Net.features(theta, task.support()) : null;
    for (int k = 0; k < step.adaptation().steps(); k++) {
      Tensor loss =
          head
              ? Net.headLoss(fast, features, task.supportLabels())
              : Net.loss(fast, task.support(), task.supportLabels());
      TensorVector g = grad(loss, Arrays.copyOfRange(fast, from, fast.length), exact, exact);
      Scalar minusRate = new Scalar(-step.adaptation().rate());
      for (int i = from; i < fast.length; i++) {
        fast[i] = fast[i].add(g.get(i - from), minusRate);
      }
      if (!exact) {
        fast = leaves(fast);
      }
    }
    return fast;
  }

  private static Tensor[] leaves(Tensor[] w) {
    return Arrays.stream(w).map(Episode::leaf).toArray(Tensor[]::new);
  }

  /** The same values as a new leaf. What set_requires_grad returns would not own its memory. */
  private static Tensor leaf(Tensor t) {
    Tensor leaf = t.detach();
    leaf.set_requires_grad(true);
    return leaf;
  }

  /** Clean, or clean plus attacked. */
  private Tensor outer(Tensor[] fast, Data task) {
    if (step.attack() == null) {
      return Net.loss(fast, task.query(), task.queryLabels());
    }
    if (task.start() == task.query()) {
      return cleanAndOneStep(fast, task);
    }
    Tensor adversarial = attacked(fast, task);
    Tensor clean = Net.loss(fast, task.query(), task.queryLabels());
    return clean.add(Net.loss(fast, adversarial, task.queryLabels()));
  }

  /** An attack that takes one step from the images shares the clean loss's forward pass. */
  private Tensor cleanAndOneStep(Tensor[] fast, Data task) {
    Tensor x = leaf(task.query());
    Tensor clean = Net.loss(fast, x, task.queryLabels());
    Tensor g = grad(clean, new Tensor[] {x}, true, false).get(0);
    Tensor adversarial = ascended(x.detach(), g, task.query());
    return clean.add(Net.loss(fast, adversarial, task.queryLabels()));
  }

  private Tensor attacked(Tensor[] fast, Data task) {
    Tensor[] constant = Arrays.stream(fast).map(Tensor::detach).toArray(Tensor[]::new);
    Tensor adversarial = task.start();
    for (int k = 0; k < step.attack().steps(); k++) {
      PointerScope outer = PointerScope.getInnerScope();
      try (PointerScope scope = new PointerScope()) {
        Tensor x = leaf(adversarial);
        Tensor loss = Net.loss(constant, x, task.queryLabels());
        Tensor g = grad(loss, new Tensor[] {x}, false, false).get(0);
        Tensor next = ascended(x.detach(), g, task.query());
        outer.attach(next); // outlives the inner scope
        adversarial = next;
      }
    }
    return adversarial;
  }

  private Tensor ascended(Tensor x, Tensor gradient, Tensor image) {
    Scalar eps = new Scalar(step.attack().eps());
    Tensor moved = x.add(gradient.sign(), new Scalar(step.attack().step()));
    Tensor inBall =
        torch.clamp(moved, new TensorOptional(image.sub(eps)), new TensorOptional(image.add(eps)));
    inBall.clamp_(new ScalarOptional(new Scalar(0.0)), new ScalarOptional(new Scalar(1.0)));
    return inBall;
  }

  private static TensorVector grad(Tensor loss, Tensor[] inputs, boolean retain, boolean create) {
    return torch.grad(
        new TensorVector(loss),
        new TensorVector(inputs),
        new TensorVector(),
        new BoolOptional(retain),
        create,
        false);
  }
}
