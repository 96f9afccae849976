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
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A step of training as one compiled plan: gradient and optimiser in a single program that is
 * replayed. The plan reads one copy of the state and writes the other, then the copies change
 * roles, so a step allocates nothing; on a device with memory of its own the state stays there
 * until somebody asks. What is descended is a {@link Rule}; {@link Trainer} and the meta-trainer
 * are two of them.
 *
 * <p>Where inputs have a {@link Supply}, a device that computes beside the processor has always one
 * step more to do than was asked for: the next inputs are written, and the figures of the last step
 * read, while it works. What a step computes depends on its number alone, so this shows nowhere.
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

  /** Writes inputs. */
  @FunctionalInterface
  public interface Supply {
    /**
     * Writes the inputs of a step that are not fixed. The steps before it may still be under way.
     *
     * @param step the number of the step
     */
    void fill(long step);
  }

  /**
   * What every step reads.
   *
   * @param tensors none of them named {@code state}; must stay open
   * @param fixed names of those that never change, such as a data set
   * @param supply writes the others before each step; where it is empty, the caller does
   * @param owner owns the tensors and is closed with the step, or at once if the step cannot be
   *     compiled; empty if somebody else closes it
   */
  public record Inputs(
      Tree<Tensor> tensors, Set<String> fixed, Optional<Supply> supply, Optional<Scope> owner) {
    /** Inputs that the caller writes before each step. */
    public static Inputs of(Tree<Tensor> tensors) {
      return new Inputs(tensors, Set.of(), Optional.empty(), Optional.empty());
    }

    /** These inputs, some of which never change. */
    public Inputs fixing(String... names) {
      return new Inputs(tensors, Set.of(names), supply, owner);
    }

    /** These inputs, written by {@code other}. */
    public Inputs from(Supply other) {
      return new Inputs(tensors, fixed, Optional.of(other), owner);
    }

    /** These inputs, which live as long as the step. */
    public Inputs ownedBy(Scope scope) {
      return new Inputs(tensors, fixed, supply, Optional.of(scope));
    }
  }

  private final Scope scope;
  private final Plan plan;
  private final Optional<Supply> supply;
  private final Optional<Scope> owner;
  private final Tree<Tensor> metrics;
  private final Plan.Sequence sequence;
  private long started;
  private long number;

  private TrainingStep(Scope scope, Plan plan, Inputs inputs) {
    this.scope = scope;
    this.plan = plan;
    this.supply = inputs.supply();
    this.owner = inputs.owner();
    this.metrics = scope.tensors(plan.program().outputs().sub("metrics"));
    this.sequence =
        plan.sequence(
            inputs.tensors(),
            Tree.<Tensor>empty().with("metrics", metrics),
            new Plan.Kept("state", inputs.fixed()));
  }

  /**
   * Compiles the step and starts at step 0.
   *
   * @param device where it runs; must stay open
   * @param rule what is descended
   * @param inputs what every step reads
   * @param weights initial weights, copied
   * @param optimizer how the gradient changes the weights
   * @param key the source of all randomness
   */
  public static TrainingStep compile(
      Device device, Rule rule, Inputs inputs, Tree<Tensor> weights, Optimizer optimizer, Key key) {
    try {
      return compiled(device, rule, inputs, weights, optimizer, key);
    } catch (Throwable failure) {
      inputs.owner().ifPresent(Scope::close);
      throw failure;
    }
  }

  private static TrainingStep compiled(
      Device device, Rule rule, Inputs inputs, Tree<Tensor> weights, Optimizer optimizer, Key key) {
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
            inputs.tensors().map(Tensor::type).with("state", state),
            in -> trace(rule, optimizer, in));
    Plan plan = device.compile(program);
    Scope scope = Scope.open();
    TrainingStep step = null;
    try {
      step = new TrainingStep(scope, plan, inputs);
      step.begin(device, start, weights, key);
      return step;
    } catch (Throwable failure) {
      if (step != null) {
        step.sequence.close();
      }
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
    try (Scope temporary = Scope.open()) {
      Tree<Tensor> state = temporary.tensors(stateTypes());
      copy(weights, state.sub("weights"));
      if (optimizerStart.outputs().size() > 0) {
        try (Plan init = device.compile(optimizerStart)) {
          init.bind(weights, state.sub("optimizer")).run();
        }
      }
      state.get("key").set((double) key.k0(), key.k1());
      sequence.set(state);
    }
  }

  /**
   * Takes a step. Allocates nothing that lives on; the results are in {@link #metrics} and {@link
   * #state}.
   */
  public void run() {
    long last = number + (supply.isPresent() ? sequence.ahead() : 0);
    while (started <= last) {
      if (supply.isPresent()) {
        supply.get().fill(started);
      }
      start();
    }
    finish();
  }

  /** Starts a step on the inputs as they are, which may be changed when this returns. */
  void start() {
    sequence.start();
    started++;
  }

  /** Waits for the oldest step that was started. */
  void finish() {
    sequence.finish();
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

  /** The weights after the last step: own tensors, to be asked for anew after each step. */
  public Tree<Tensor> weights() {
    return state().sub("weights");
  }

  /**
   * All of the state after the last step, for a checkpoint: own tensors, to be asked for anew after
   * each step.
   */
  public Tree<Tensor> state() {
    return sequence.state();
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
    number = (long) state.get("step").get(0);
    started = number;
    sequence.set(state);
  }

  /** The compiled step. */
  public Plan plan() {
    return plan;
  }

  static void copy(Tree<Tensor> from, Tree<Tensor> to) {
    Map<String, Tensor> source = from.paths();
    to.paths().forEach((path, t) -> t.copyFrom(source.get(path)));
  }

  /** Frees the plan and the state. */
  @Override
  public void close() {
    sequence.close();
    plan.close();
    scope.close();
    owner.ifPresent(Scope::close);
  }
}
