package dev.vauban.bench.libtorch;

import dev.vauban.bench.peers.MetaStep;
import dev.vauban.bench.peers.MetaStep.Adapted;
import dev.vauban.meta.Order;
import dev.vauban.tensor.Precision;
import java.util.Arrays;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;

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
      TensorVector gradient = Autograd.grad(loss, exact ? theta : fast);
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
      TensorVector g =
          Autograd.grad(loss, Arrays.copyOfRange(fast, from, fast.length), exact, exact);
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
    return Arrays.stream(w).map(Autograd::leaf).toArray(Tensor[]::new);
  }

  /** Clean, or clean plus attacked. */
  private Tensor outer(Tensor[] fast, Data task) {
    if (step.attack() == null) {
      return Net.loss(fast, task.query(), task.queryLabels());
    }
    if (task.start() == task.query()) {
      return cleanAndOneStep(fast, task);
    }
    Tensor[] constant = Arrays.stream(fast).map(Tensor::detach).toArray(Tensor[]::new);
    Tensor adversarial =
        new Ascent(step.attack())
            .attacked(x -> Net.loss(constant, x, task.queryLabels()), task.start(), task.query());
    Tensor clean = Net.loss(fast, task.query(), task.queryLabels());
    return clean.add(Net.loss(fast, adversarial, task.queryLabels()));
  }

  /** An attack that takes one step from the images shares the clean loss's forward pass. */
  private Tensor cleanAndOneStep(Tensor[] fast, Data task) {
    Tensor x = Autograd.leaf(task.query());
    Tensor clean = Net.loss(fast, x, task.queryLabels());
    Tensor g = Autograd.grad(clean, new Tensor[] {x}, true, false).get(0);
    Tensor adversarial = new Ascent(step.attack()).step(x.detach(), g, task.query());
    return clean.add(Net.loss(fast, adversarial, task.queryLabels()));
  }
}
