package dev.vauban.nn;

import dev.vauban.tensor.Binding;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Expr;
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
 * A step of training as one compiled plan: gradient and optimiser in a single program that is
 * replayed. The plan reads one copy of the state and writes the other, then the copies change
 * roles, so a step allocates nothing. What is descended is a {@link Rule}; {@link Trainer} and the
 * meta-trainer are two of them.
 *
 * <p>The state is a tree of {@code weights/...}, {@code optimizer/...}, {@code step} (I32) and
 * {@code key} (I32 [2]); it is all there is. The rule's key at step k is {@code key.fold(k)}. A
 * step that is restored from a saved state therefore goes on exactly as the first would have.
 *
 * <p>It serves one thread.
 */
public final class TrainingStep implements AutoCloseable {
  /** What a step descends. */
  @FunctionalInterface
  public interface Rule {
    /**
     * The gradient at the weights.
     *
     * @param inputs of the step, and the state before it under {@code state}: its number is the I32
     *     scalar {@code state/step}
     * @param key the randomness of this step
     */
    Slope of(Tree<Expr> weights, Tree<Expr> inputs, Expr key);
  }

  /**
   * What a rule finds.
   *
   * @param gradient of the structure of the weights
   * @param metrics figures to look at, a tree of names
   */
  public record Slope(Tree<Expr> gradient, Tree<Expr> metrics) {}

  private final Scope scope;
  private final Plan plan;
  private final Tree<Tensor> metrics;
  private final List<Tree<Tensor>> states;
  private final List<Plan.Bound> bound;
  private int current;
  private long number;

  private TrainingStep(Scope scope, Plan plan, Tree<Tensor> inputs) {
    this.scope = scope;
    this.plan = plan;
    this.metrics = scope.tensors(plan.program().outputs().sub("metrics"));
    this.states = List.of(scope.tensors(stateTypes()), scope.tensors(stateTypes()));
    this.bound = List.of(bind(inputs, 0), bind(inputs, 1));
  }

  private Plan.Bound bind(Tree<Tensor> inputs, int from) {
    Tree<Tensor> out =
        Tree.<Tensor>empty()
            .with("state", withoutKey(states.get(1 - from)))
            .with("metrics", metrics);
    return plan.bind(inputs.with("state", states.get(from)), out);
  }

  /**
   * Compiles the step and starts at step 0.
   *
   * @param device where it runs; must stay open
   * @param rule what is descended
   * @param inputs what every step reads, none of them named {@code state}; must stay open
   * @param weights initial weights, copied
   * @param optimizer how the gradient changes the weights
   * @param key the source of all randomness
   */
  public static TrainingStep compile(
      Device device,
      Rule rule,
      Tree<Tensor> inputs,
      Tree<Tensor> weights,
      Optimizer optimizer,
      Key key) {
    Tree<Type> types = weights.map(Tensor::type);
    Program start = Program.trace(types, optimizer::init);
    Tree<Type> state =
        Tree.<Type>empty()
            .with("weights", types)
            .with("optimizer", start.outputs())
            .with("step", Type.i32())
            .with("key", Type.i32(2));
    Program program =
        Program.trace(
            inputs.map(Tensor::type).with("state", state), in -> trace(rule, optimizer, in));
    Plan plan = device.compile(program);
    Scope scope = Scope.open();
    try {
      TrainingStep step = new TrainingStep(scope, plan, inputs);
      step.begin(device, start, weights, key);
      return step;
    } catch (Throwable failure) {
      scope.close();
      plan.close();
      throw failure;
    }
  }

  private static Tree<Expr> trace(Rule rule, Optimizer optimizer, Tree<Expr> in) {
    Tree<Expr> state = in.sub("state");
    Tree<Expr> weights = state.sub("weights");
    Expr number = state.get("step");
    Slope slope = rule.of(weights, in, state.get("key").fold(number));
    Optimizer.Update u =
        optimizer.update(weights, slope.gradient(), state.sub("optimizer"), number);
    Tree<Expr> next =
        Tree.<Expr>empty()
            .with("weights", u.weights())
            .with("optimizer", u.state())
            .with("step", number.add(1));
    return Tree.<Expr>empty().with("state", next).with("metrics", slope.metrics());
  }

  private void begin(Device device, Program optimizerStart, Tree<Tensor> weights, Key key) {
    Tree<Tensor> state = states.get(0);
    copy(weights, state.sub("weights"));
    if (optimizerStart.outputs().size() > 0) {
      try (Plan init = device.compile(optimizerStart)) {
        init.bind(weights, state.sub("optimizer")).run();
      }
    }
    for (Tree<Tensor> s : states) {
      s.get("key").set((double) key.k0(), key.k1());
    }
  }

  /** Takes a step. Allocates nothing; the results are in {@link #metrics} and {@link #state}. */
  public void run() {
    bound.get(current).run();
    current = 1 - current;
    number++;
  }

  /** Number of steps taken so far, counting those before a restored state. */
  public long number() {
    return number;
  }

  /** The figures of the last step, at the weights before its update; the next overwrites them. */
  public Tree<Tensor> metrics() {
    return metrics;
  }

  /** The weights after the last step: own tensors, which the next but one step overwrites. */
  public Tree<Tensor> weights() {
    return state().sub("weights");
  }

  /** All of the state after the last step, for a checkpoint; own tensors. */
  public Tree<Tensor> state() {
    return states.get(current);
  }

  /** The types of the state: what a checkpoint must hold. */
  public Tree<Type> stateTypes() {
    return plan.program().inputs().sub("state");
  }

  /**
   * Goes on from a state that {@link #state} gave, of this or another step of the same kind.
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

  static void copy(Tree<Tensor> from, Tree<Tensor> to) {
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
