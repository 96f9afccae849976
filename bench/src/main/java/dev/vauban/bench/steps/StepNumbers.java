package dev.vauban.bench.steps;

import dev.vauban.adversarial.Attack;
import dev.vauban.adversarial.Fgsm;
import dev.vauban.adversarial.Linf;
import dev.vauban.adversarial.Pgd;
import dev.vauban.adversarial.Start;
import dev.vauban.bench.peers.MetaStep;
import dev.vauban.bench.peers.MetaStep.Values;
import dev.vauban.nn.Adam;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The numbers that a {@link BoundStep} works on, for another framework. */
final class StepNumbers {
  private StepNumbers() {}

  /**
   * The step on the tensors it is bound to.
   *
   * @param inputs {@code weights/...} and {@code tasks/...}, as {@link BoundStep} fills them
   */
  static MetaStep of(StepCase step, Adam adam, double metaRate, Tree<Tensor> inputs) {
    MetaStep.Adapted adapted =
        switch (step.learner()) {
          case "maml", "rmaml-out" -> MetaStep.Adapted.ALL;
          case "anil" -> MetaStep.Adapted.HEAD;
          default -> throw new IllegalArgumentException("no peer knows " + step.learner());
        };
    Map<String, Values> weights = new LinkedHashMap<>();
    inputs.sub("weights").paths().forEach((path, t) -> weights.put(path, values(t)));
    MetaStep.Attack attack = attack(step);
    List<MetaStep.Task> tasks = new ArrayList<>();
    for (int t = 0; t < step.batch().tasks(); t++) {
      tasks.add(task(step, attack, inputs.sub("tasks"), t));
    }
    return new MetaStep(
        new MetaStep.Adaptation(step.innerSteps(), StepCase.RATE, step.order(), adapted),
        attack,
        new MetaStep.Adam(metaRate, adam.beta1(), adam.beta2(), adam.eps()),
        weights,
        tasks,
        step.precision());
  }

  private static MetaStep.Attack attack(StepCase step) {
    if (step.attack().equals("none")) {
      return null;
    }
    double eps = StepCase.EPS;
    return switch (step.named()) {
      case Fgsm(Linf ball) -> new MetaStep.Attack(eps, eps, 1);
      case Pgd p when p.ball() instanceof Linf && p.from() == Start.RANDOM ->
          new MetaStep.Attack(eps, 2.5 * eps / p.steps(), p.steps());
      case Attack other -> throw new IllegalArgumentException("no peer knows " + other);
    };
  }

  private static MetaStep.Task task(
      StepCase step, MetaStep.Attack attack, Tree<Tensor> tasks, int t) {
    Values query = part(tasks.get("query/x"), t);
    Values start = attack == null ? null : query;
    if (attack != null && step.named() instanceof Pgd) {
      Tensor keys = tasks.get("key");
      Key key = new Key((int) keys.get(2L * t), (int) keys.get(2L * t + 1));
      start = start(query, attack.eps(), key.fold(1)); // as Task.of makes the queries' key
    }
    return new MetaStep.Task(
        part(tasks.get("support/x"), t),
        labels(tasks.get("support/y"), t),
        query,
        labels(tasks.get("query/y"), t),
        start);
  }

  /** The random point that {@link Linf#start} draws, in single precision as the plan does. */
  private static Values start(Values x, double eps, Key key) {
    float[] start = new float[x.data().length];
    for (int i = 0; i < start.length; i++) {
      float u = (key.bits(i) >>> 40) * 0x1p-24f;
      float moved = x.data()[i] + (u * 2 - 1) * (float) eps;
      start[i] = Math.min(1, Math.max(0, moved));
    }
    return new Values(x.shape(), start);
  }

  private static Values part(Tensor stacked, int t) {
    Values all = values(stacked);
    int[] shape = Arrays.copyOfRange(all.shape(), 1, all.shape().length);
    int size = all.data().length / all.shape()[0];
    return new Values(shape, Arrays.copyOfRange(all.data(), t * size, (t + 1) * size));
  }

  private static int[] labels(Tensor stacked, int t) {
    int n = stacked.shape().dim(1);
    return Arrays.copyOfRange(stacked.toInts(), t * n, (t + 1) * n);
  }

  static Values values(Tensor t) {
    return new Values(t.shape().dims(), t.toFloats());
  }
}
