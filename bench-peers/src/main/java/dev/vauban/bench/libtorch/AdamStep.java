package dev.vauban.bench.libtorch;

import dev.vauban.bench.peers.MetaStep;
import java.util.List;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;

/** Adam's first step; its result is not kept, since every run of a step starts from the same. */
record AdamStep(MetaStep.Adam adam) {
  /** The mean over tasks. */
  static Tensor[] mean(List<TensorVector> gradients) {
    Tensor[] mean = new Tensor[Math.toIntExact(gradients.getFirst().size())];
    for (int i = 0; i < mean.length; i++) {
      Tensor sum = gradients.getFirst().get(i);
      for (TensorVector g : gradients.subList(1, gradients.size())) {
        sum = sum.add(g.get(i));
      }
      mean[i] = sum.div(new Scalar((double) gradients.size()));
    }
    return mean;
  }

  /** The weights after the step. */
  Tensor[] updated(Tensor[] weights, Tensor[] gradient) {
    Tensor[] updated = new Tensor[weights.length];
    double first = 1 - adam.beta1();
    double second = 1 - adam.beta2();
    try (NoGradGuard guard = new NoGradGuard()) {
      for (int i = 0; i < weights.length; i++) {
        Tensor g = gradient[i];
        Tensor m = g.mul(new Scalar(first));
        Tensor v = g.mul(g).mul(new Scalar(second));
        Tensor root = v.div(new Scalar(second)).sqrt().add(new Scalar(adam.eps()));
        updated[i] = weights[i].addcdiv(m, root, new Scalar(-adam.rate() / first));
      }
    }
    return updated;
  }
}
