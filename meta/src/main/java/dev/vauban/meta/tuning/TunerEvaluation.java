package dev.vauban.meta.tuning;

import dev.vauban.nn.Tuner;
import dev.vauban.nn.Weight;
import dev.vauban.tensor.DType;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.Vmap;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Judges a tuner on problems of one family, after every step. One plan is one step of all problems;
 * it is replayed.
 *
 * <p>It serves one thread.
 */
public final class TunerEvaluation implements AutoCloseable {
  private final Scope scope;
  private final Problems problems;
  private final int tasks;
  private final Tree<Tensor> inputs;
  private final Tree<Tensor> beginning;
  private final Tree<Tensor> figures;
  private final Plan start;
  private final Plan plan;
  private final Plan.Sequence sequence;

  /**
   * The problems' figures after a step.
   *
   * @param step how many steps were taken, from 0
   * @param values by name, one for each problem
   */
  public record Point(int step, Map<String, double[]> values) {
    /** The mean over the problems. */
    public double mean(String name) {
      double sum = 0;
      for (double v : values.get(name)) {
        sum += v;
      }
      return sum / values.get(name).length;
    }
  }

  private TunerEvaluation(
      Scope scope, Device device, Tuner tuner, Problems problems, int tasks, Gradients gradients) {
    this.scope = scope;
    this.problems = problems;
    this.tasks = tasks;
    Tuning tuning = new Tuning(problems, tuner, gradients);
    Tree<Type> weights = Weight.types(tuner.weights());
    Tree<Type> one =
        Program.trace(Tree.<Type>empty().with("weights", weights), w -> begin(tuning, w)).outputs();
    Tree<Type> types =
        Tree.<Type>empty()
            .with("weights", weights)
            .with("shared", problems.shared())
            .with("own", TunerTrainer.each(tasks, problems.own()))
            .with("step", Type.i32())
            .with("key", Type.i32(2))
            .with("at", TunerTrainer.each(tasks, one));
    this.start =
        device.compile(
            Program.trace(
                Tree.<Type>empty().with("weights", weights),
                in -> begin(tuning, in).map(e -> e.broadcastTo(e.shape().prepend(tasks)))));
    this.plan = device.compile(Program.trace(types, in -> step(tuning, in)));
    this.inputs =
        Tree.<Tensor>empty()
            .with("weights", scope.tensors(weights))
            .with("shared", problems.shared(scope))
            .with("own", scope.tensors(types.sub("own")))
            .with("step", scope.tensor(Type.i32()))
            .with("key", scope.tensor(Type.i32(2)));
    this.beginning = scope.tensors(types.sub("at"));
    this.figures = scope.tensors(plan.program().outputs().sub("figures"));
    this.sequence =
        plan.sequence(
            inputs,
            Tree.<Tensor>empty().with("figures", figures),
            new Plan.Kept("at", Set.of("shared")));
  }

  /**
   * Compiles one step of the tuner.
   *
   * @param device where it runs; must stay open
   * @param tuner what is judged
   * @param problems the family; what it shares must stay open
   * @param tasks problems at a time, at least 1
   * @param gradients what the tuner gets to see
   */
  public static TunerEvaluation compile(
      Device device, Tuner tuner, Problems problems, int tasks, Gradients gradients) {
    if (tasks < 1) {
      throw new IllegalArgumentException("at least 1 problem is needed, not " + tasks);
    }
    Scope scope = Scope.open();
    try {
      return new TunerEvaluation(scope, device, tuner, problems, tasks, gradients);
    } catch (Throwable failure) {
      scope.close();
      throw failure;
    }
  }

  private static Tree<Expr> begin(Tuning tuning, Tree<Expr> in) {
    return tuning.start(in.sub("weights")).tree();
  }

  private static Tree<Expr> step(Tuning tuning, Tree<Expr> in) {
    int tasks = in.sub("own").leaves().getFirst().shape().dim(0);
    Tree<Expr> elements =
        Tree.<Expr>empty()
            .with("own", in.sub("own"))
            .with("at", in.sub("at"))
            .with("task", Expr.iota(new Type(DType.I32, Shape.of(tasks)), 0));
    return Vmap.vmap(
        e -> {
          Tree<Expr> own = e.sub("own");
          Tuning.At next =
              tuning.step(
                  in.sub("weights"),
                  Tuning.At.of(e.sub("at")),
                  in.get("step"),
                  in.sub("shared"),
                  own,
                  in.get("key").fold(e.get("task")));
          Tree<Expr> figures = tuning.problems().figures(next.variables(), in.sub("shared"), own);
          return Tree.<Expr>empty().with("at", next.tree()).with("figures", figures);
        },
        elements);
  }

  /**
   * Tunes problems {@code first} and following.
   *
   * @param weights the tuner's
   * @param first number of the first problem
   * @param steps how many steps, at least 1
   * @param key the source of the gradient estimates' directions
   * @return the figures after steps 1 to {@code steps}
   */
  public List<Point> run(Tree<Tensor> weights, long first, int steps, Key key) {
    Tree<Tensor> own = inputs.sub("weights");
    own.zip(weights, Tensor::copyFrom);
    problems.fill(first, inputs.sub("own"));
    inputs.get("key").set((double) key.k0(), key.k1());
    start.bind(Tree.<Tensor>empty().with("weights", own), beginning).run();
    sequence.set(beginning);
    List<Point> points = new ArrayList<>();
    for (int s = 0; s < steps; s++) {
      inputs.get("step").set((double) s);
      sequence.start();
      sequence.finish();
      Map<String, double[]> values = new LinkedHashMap<>();
      figures.paths().forEach((name, t) -> values.put(name, t.toDoubles()));
      points.add(new Point(s + 1, values));
    }
    return points;
  }

  /** The variables of all problems after the last run: own tensors, to be asked for after each. */
  public Tree<Tensor> variables() {
    return sequence.state().sub("variables");
  }

  /** Queries to the victim that one step of one problem costs; 0 where gradients are exact. */
  public static int queries(Problems problems, Gradients gradients) {
    return problems.queries() * gradients.values();
  }

  /** Frees the plans and the state. */
  @Override
  public void close() {
    sequence.close();
    plan.close();
    start.close();
    scope.close();
  }
}
