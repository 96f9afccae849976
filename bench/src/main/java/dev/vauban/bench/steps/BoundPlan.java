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

/** A program compiled for a device of its own and bound to tensors of its own. */
final class BoundPlan implements AutoCloseable {
  private final Scope scope = Scope.open();
  private final Device device;
  private final Plan plan;
  private final Plan.Bound bound;
  private final Tree<Tensor> inputs;
  private final Tree<Tensor> outputs;
  private final double compileSeconds;

  /** Fills a plan's inputs; may run other programs on its device for it. */
  interface Filling {
    void fill(Tree<Tensor> inputs, Scope scope, Device device);
  }

  /**
   * Compiles and binds.
   *
   * @param device closed with the plan, or if this fails
   * @param program traced on inputs of these types
   */
  BoundPlan(
      Device device, Tree<Type> types, Function<Tree<Expr>, Tree<Expr>> program, Filling filling) {
    this.device = device;
    Plan compiled = null;
    try {
      long began = System.nanoTime();
      Program traced = Program.trace(types, program);
      compiled = device.compile(traced);
      this.plan = compiled;
      this.compileSeconds = (System.nanoTime() - began) / 1e9;
      this.inputs = scope.tensors(types);
      filling.fill(inputs, scope, device);
      this.outputs = scope.tensors(traced.outputs());
      this.bound = compiled.bind(inputs, outputs);
    } catch (Throwable failure) {
      if (compiled != null) {
        compiled.close();
      }
      device.close();
      scope.close();
      throw failure;
    }
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
    bound.run();
  }

  Tree<Tensor> inputs() {
    return inputs;
  }

  Tree<Tensor> outputs() {
    return outputs;
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
    plan.close();
    device.close();
    scope.close();
  }
}
