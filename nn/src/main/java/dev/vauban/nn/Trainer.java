package dev.vauban.nn;

import dev.vauban.tensor.Binding;
import dev.vauban.tensor.DType;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Grad;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import java.util.List;
import java.util.Map;

/**
 * Gradient steps as one compiled plan: objective, gradient and optimiser in a single program that
 * is replayed. The plan reads one copy of the state and writes the other, then the copies change
 * roles, so a step allocates nothing.
 *
 * <p>The state is a tree of {@code weights/...}, {@code optimizer/...}, {@code step} (I32) and
 * {@code key} (I32 [2]); it is all there is. The objective's key at step k is {@code key.fold(k)}.
 * A trainer that is restored from a saved state therefore goes on exactly as the first would have.
 *
 * <p>A trainer serves one thread.
 */
public final class Trainer implements AutoCloseable {
  private final Scope scope = Scope.open();
  private final Plan plan;
  private final Tree<Tensor> batch;
  private final Tree<Tensor> metrics;
  private final Tensor loss;
  private final List<Tree<Tensor>> states;
  private final List<Plan.Bound> bound;
  private int current;
  private long number;

  private Trainer(Plan plan, Tree<Type> stateTypes) {
    this.plan = plan;
    this.batch = scope.tensors(plan.program().inputs().sub("batch"));
    this.metrics = scope.tensors(plan.program().outputs().sub("metrics"));
    this.loss = metrics.get("loss");
    this.states = List.of(scope.tensors(stateTypes), scope.tensors(stateTypes));
    this.bound = List.of(bind(0), bind(1));
  }

  private Plan.Bound bind(int from) {
    Tree<Tensor> in = Tree.<Tensor>empty().with("state", states.get(from)).with("batch", batch);
    Tree<Tensor> out =
        Tree.<Tensor>empty()
            .with("state", withoutKey(states.get(1 - from)))
            .with("metrics", metrics);
    return plan.bind(in, out);
  }

  /**
   * Compiles the step and starts at step 0.
   *
   * @param device where it runs; must stay open
   * @param objective what is minimised
   * @param batch types of what each step is given
   * @param weights initial weights, copied
   * @param optimizer how the gradient changes the weights
   * @param key the source of all randomness
   */
  public static Trainer compile(
      Device device,
      Objective objective,
      Tree<Type> batch,
      Tree<Tensor> weights,
      Optimizer optimizer,
      Key key) {
    Tree<Type> types = weights.map(Tensor::type);
    Program start = Program.trace(types, optimizer::init);
    Tree<Type> stateTypes =
        Tree.<Type>empty()
            .with("weights", types)
            .with("optimizer", start.outputs())
            .with("step", Type.i32())
            .with("key", Type.i32(2));
    Tree<Type> inputs = Tree.<Type>empty().with("state", stateTypes).with("batch", batch);
    Program program =
        Program.trace(inputs, in -> step(objective, optimizer, in.sub("state"), in.sub("batch")));
    Trainer trainer = new Trainer(device.compile(program), stateTypes);
    Tree<Tensor> state = trainer.states.get(0);
    copy(weights, state.sub("weights"));
    if (start.outputs().size() > 0) {
      try (Plan init = device.compile(start)) {
        init.bind(weights, state.sub("optimizer")).run();
      }
    }
    for (Tree<Tensor> s : trainer.states) {
      s.get("key").set((double) key.k0(), key.k1());
    }
    return trainer;
  }

  /** Compiles the step of a loss whose batches have the types {@code batch}. */
  public static Trainer compile(
      Device device,
      Loss loss,
      Batch<Type> batch,
      Tree<Tensor> weights,
      Optimizer optimizer,
      Key key) {
    return compile(device, Objective.of(loss), batch.tree(), weights, optimizer, key);
  }

  private static Tree<Expr> step(
      Objective objective, Optimizer optimizer, Tree<Expr> state, Tree<Expr> batch) {
    Tree<Expr> weights = state.sub("weights");
    Expr number = state.get("step");
    Expr key = state.get("key").fold(number);
    Grad.Extended g =
        Grad.extended(
            w -> {
              Objective.Value v = objective.of(w, batch, key);
              return new Grad.Outcome(v.loss(), v.metrics());
            },
            weights);
    Optimizer.Update u = optimizer.update(weights, g.gradient(), state.sub("optimizer"), number);
    Tree<Expr> next =
        Tree.<Expr>empty()
            .with("weights", u.weights())
            .with("optimizer", u.state())
            .with("step", number.add(1));
    if (g.extras().isLeaf() || g.extras().has("loss")) {
      throw new IllegalArgumentException(
          "an objective's metrics are a tree of names other than 'loss', which the trainer adds");
    }
    Tree<Expr> metrics = Tree.of("loss", g.value().cast(DType.F32));
    for (Map.Entry<String, Tree<Expr>> e : g.extras().children().entrySet()) {
      metrics = metrics.with(e.getKey(), e.getValue());
    }
    return Tree.<Expr>empty().with("state", next).with("metrics", metrics);
  }

  /**
   * One step on the batch that {@link #batch} holds. Allocates nothing. The results are in {@link
   * #loss} and {@link #metrics}.
   */
  public void step() {
    bound.get(current).run();
    current = 1 - current;
    number++;
  }

  /**
   * Copies {@code batch} into the trainer's own and takes one step.
   *
   * @return the figures of this step; the next step overwrites them
   * @throws dev.vauban.tensor.ShapeException if the batch has another structure or other types
   */
  public Tree<Tensor> step(Tree<Tensor> batch) {
    Binding.check("batch", plan.program().inputs().sub("batch"), batch);
    copy(batch, this.batch);
    step();
    return metrics;
  }

  /** {@link #step(Tree)} for a batch of inputs and targets. */
  public Tree<Tensor> step(Batch<Tensor> batch) {
    return step(batch.tree());
  }

  /** The tensors that the next step reads; fill them in place to spare a copy. */
  public Tree<Tensor> batch() {
    return batch;
  }

  /** The figures of the last step: {@code loss} and what the objective added. */
  public Tree<Tensor> metrics() {
    return metrics;
  }

  /** The loss of the last step, before its update. */
  public double loss() {
    return loss.get(0);
  }

  /** Number of steps taken so far, counting those before a restored state. */
  public long number() {
    return number;
  }

  /**
   * The weights after the last step. These are the trainer's own tensors: the next but one step
   * overwrites them.
   */
  public Tree<Tensor> weights() {
    return state().sub("weights");
  }

  /** All of the state after the last step, for a checkpoint; the trainer's own tensors. */
  public Tree<Tensor> state() {
    return states.get(current);
  }

  /** The types of the state: what a checkpoint must hold. */
  public Tree<Type> stateTypes() {
    return plan.program().inputs().sub("state");
  }

  /**
   * Goes on from a state that {@link #state} gave, of this or another trainer of the same kind.
   *
   * @throws dev.vauban.tensor.ShapeException if it has another structure or other types
   */
  public void restore(Tree<Tensor> state) {
    Binding.check("state", stateTypes(), state);
    copy(state, states.get(current));
    states.get(1 - current).get("key").copyFrom(state.get("key"));
    number = (long) state.get("step").get(0);
  }

  /** The compiled step. */
  public Plan plan() {
    return plan;
  }

  private static void copy(Tree<Tensor> from, Tree<Tensor> to) {
    Map<String, Tensor> source = from.paths();
    to.paths().forEach((path, t) -> t.copyFrom(source.get(path)));
  }

  private static Tree<Tensor> withoutKey(Tree<Tensor> state) {
    return Tree.<Tensor>empty()
        .with("weights", state.sub("weights"))
        .with("optimizer", state.sub("optimizer"))
        .with("step", state.sub("step"));
  }

  /** Frees the plan and the state. */
  @Override
  public void close() {
    plan.close();
    scope.close();
  }
}
