package dev.vauban.bench.steps;

import dev.vauban.tensor.Device;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import java.util.function.Function;

/**
 * A program compiled for a device of its own and bound to tensors of its own. On a device with
 * memory of its own the inputs are copied there once, and the results stay there until somebody
 * asks: a run copies neither.
 */
final class BoundPlan implements AutoCloseable {
  private static final String RESULTS = "results";

  private final Scope scope = Scope.open();
  private final Device device;
  private final Plan plan;
  private final Tree<Tensor> inputs;
  private final double compileSeconds;
  private Plan.Sequence sequence;

  /** Fills a plan's inputs; may run other programs on its device for it. */
  interface Filling {
    void fill(Tree<Tensor> inputs, Scope scope, Device device);
  }

  /**
   * Compiles and binds.
   *
   * @param device closed with the plan, or if this fails
   * @param types of the inputs, none of them named {@code results}
   * @param results types of the results
   * @param program traced on inputs of these types
   */
  BoundPlan(
      Device device,
      Tree<Type> types,
      Tree<Type> results,
      Function<Tree<Expr>, Tree<Expr>> program,
      Filling filling) {
    this.device = device;
    Plan compiled = null;
    try {
      long began = System.nanoTime();
      // The results go round as a state that no run reads: that is how they stay where they are.
      compiled =
          device.compile(
              Program.trace(
                  types.with(RESULTS, results),
                  in -> Tree.<Expr>empty().with(RESULTS, program.apply(in))));
      this.plan = compiled;
      this.compileSeconds = (System.nanoTime() - began) / 1e9;
      this.inputs = scope.tensors(types);
      filling.fill(inputs, scope, device);
      this.sequence = bind();
    } catch (Throwable failure) {
      if (compiled != null) {
        compiled.close();
      }
      device.close();
      scope.close();
      throw failure;
    }
  }

  private Plan.Sequence bind() {
    return plan.sequence(inputs, Tree.empty(), new Plan.Kept(RESULTS, inputs.paths().keySet()));
  }

  /** Runs a program once, to make inputs of another: its outputs are copied to {@code to}. */
  static void copy(
      Device device, Tree<Tensor> from, Function<Tree<Expr>, Tree<Expr>> program, Tree<Tensor> to) {
    try (Plan plan = device.compile(Program.trace(from.map(Tensor::type), program))) {
      plan.bind(from, to).run();
    }
  }

  /** Moves every element up or down by {@code distance}; the key says which. */
  static void nudge(Tensor x, Key directions, double distance) {
    for (long i = 0; i < x.size(); i++) {
      x.set(i, x.get(i) + (directions.bits(i) < 0 ? -distance : distance));
    }
  }

  void run() {
    sequence.start();
    sequence.finish();
  }

  /** The inputs; who changes them calls {@link #reread} before the next run. */
  Tree<Tensor> inputs() {
    return inputs;
  }

  /** Has the next runs work on the inputs as they are now. */
  void reread() {
    sequence.close();
    sequence = bind();
  }

  /** The results of the last run, to be asked for anew after each. */
  Tree<Tensor> outputs() {
    return sequence.state();
  }

  long flops() {
    return plan.flops();
  }

  long bytes() {
    return plan.bytes();
  }

  long traffic() {
    return plan.traffic();
  }

  double compileSeconds() {
    return compileSeconds;
  }

  @Override
  public void close() {
    sequence.close();
    plan.close();
    device.close();
    scope.close();
  }
}
