package dev.vauban.tensor;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A sequence on a device that computes in the host's memory: there are two states, the plan reads
 * one and writes the other, then they change roles. Nothing is copied.
 */
final class HostSequence implements Plan.Sequence {
  private final Scope scope = Scope.open();
  private final List<Tree<Tensor>> states = new ArrayList<>(); // one where nothing goes round
  private final List<Plan.Bound> bound = new ArrayList<>();
  private int current;
  private boolean underWay;

  HostSequence(Plan plan, Tree<Tensor> inputs, Tree<Tensor> outputs, Plan.Kept kept) {
    try {
      Set<String> carried = Binding.carried(plan.program(), kept);
      int copies = carried.isEmpty() ? 1 : 2;
      for (int i = 0; i < copies; i++) {
        states.add(scope.tensors(plan.program().inputs().sub(kept.state())));
      }
      for (int i = 0; i < copies; i++) {
        Tree<Tensor> out = outputs;
        if (!carried.isEmpty()) {
          Map<String, Tensor> next = Tree.of(kept.state(), states.get(1 - i)).paths();
          Map<String, Tensor> all = new LinkedHashMap<>(outputs.paths());
          carried.forEach(path -> all.put(path, next.get(path)));
          out = Tree.ofPaths(all);
        }
        bound.add(plan.bind(inputs.with(kept.state(), states.get(i)), out));
      }
    } catch (RuntimeException | Error e) {
      scope.close();
      throw e;
    }
  }

  @Override
  public void start() {
    if (underWay) {
      throw new IllegalStateException("a run is under way; finish it first");
    }
    bound.get(current).run();
    underWay = true;
  }

  @Override
  public void finish() {
    if (!underWay) {
      throw new IllegalStateException("no run was started");
    }
    underWay = false;
    current = (current + 1) % states.size();
  }

  @Override
  public int ahead() {
    return 0;
  }

  @Override
  public Tree<Tensor> state() {
    return states.get(current);
  }

  @Override
  public void set(Tree<Tensor> state) {
    Binding.check("state", states.getFirst().map(Tensor::type), state);
    Map<String, Tensor> from = state.paths();
    underWay = false;
    for (Tree<Tensor> s : states) { // both: what no run writes stays
      s.paths().forEach((path, t) -> t.copyFrom(from.get(path)));
    }
  }

  @Override
  public void close() {
    scope.close();
  }
}
