package dev.vauban.bench.steps;

import static dev.vauban.tensor.Vmap.vmap;

import dev.vauban.meta.MetaLearner;
import dev.vauban.meta.Task;
import dev.vauban.nn.Model;
import dev.vauban.nn.Optimizer;
import dev.vauban.nn.Optimizers;
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
import dev.vauban.tensor.backend.cpu.CpuDevice;

/**
 * A {@link StepCase} compiled for a number of threads and bound to its data: random images, the
 * meta-gradient of all tasks and one Adam step. Every run does the same work on the same numbers.
 */
public final class BoundStep implements AutoCloseable {
  private static final double META_RATE = 1e-3;

  private final Scope scope = Scope.open();
  private final Device device;
  private final Plan plan;
  private final Plan.Bound bound;
  private final double compileSeconds;

  /** Compiles. */
  public BoundStep(StepCase step, int threads) {
    this.device =
        CpuDevice.open(
            threads,
            switch (step.kernels()) {
              case BEST -> CpuDevice.Kernels.BEST;
              case JAVA -> CpuDevice.Kernels.JAVA;
            });
    Model model = step.model();
    Optimizer optimizer = Optimizers.adam(META_RATE);
    Tree<Type> theta = model.types();
    Program start = Program.trace(theta, optimizer::init);
    Tree<Type> types =
        Tree.<Type>empty()
            .with("weights", theta)
            .with("optimizer", start.outputs())
            .with("number", Type.i32())
            .with("tasks", tasks(step));
    MetaLearner learner = step.method(model).training();
    long began = System.nanoTime();
    Program program = Program.trace(types, in -> update(learner, optimizer, in));
    this.plan = device.compile(program);
    this.compileSeconds = (System.nanoTime() - began) / 1e9;

    Tree<Tensor> inputs = scope.tensors(types);
    Key key = Key.of(1);
    Tree<Tensor> initial = model.init(scope, key.fold(0));
    inputs.sub("weights").mapPaths((path, t) -> t.copyFrom(initial.get(path)));
    try (Plan init = device.compile(start)) {
      init.bind(inputs.sub("weights"), inputs.sub("optimizer")).run();
    }
    fill(inputs.sub("tasks"), step, key);
    this.bound = plan.bind(inputs, scope.tensors(program.outputs()));
  }

  private static Tree<Type> tasks(StepCase step) {
    return Tree.<Type>empty()
        .with("support", batch(step, step.ways() * StepCase.SHOTS))
        .with("query", batch(step, step.ways() * StepCase.QUERIES))
        .with("key", Type.i32(StepCase.TASKS, 2));
  }

  private static Tree<Type> batch(StepCase step, int n) {
    int[] image = step.image().dims();
    return Tree.of(
        "x", Type.f32(StepCase.TASKS, n, image[0], image[1], image[2]),
        "y", Type.i32(StepCase.TASKS, n));
  }

  private static Tree<Expr> update(MetaLearner learner, Optimizer optimizer, Tree<Expr> in) {
    Tree<Expr> theta = in.sub("weights");
    Tree<Expr> each =
        vmap(
            t -> {
              Grad.Result g = Grad.valueAndGrad(w -> learner.taskLoss(w, Task.of(t)), theta);
              return Tree.<Expr>empty().with("gradient", g.gradient()).with("loss", g.value());
            },
            in.sub("tasks"));
    Optimizer.Update u =
        optimizer.update(
            theta, each.sub("gradient").map(g -> g.mean(0)), in.sub("optimizer"), in.get("number"));
    return Tree.<Expr>empty()
        .with("weights", u.weights())
        .with("optimizer", u.state())
        .with("loss", each.get("loss").mean(0));
  }

  private static void fill(Tree<Tensor> tasks, StepCase step, Key key) {
    for (String part : new String[] {"support", "query"}) {
      Tensor x = tasks.get(part + "/x");
      Key pixels = key.fold(part.length());
      for (long i = 0; i < x.size(); i++) {
        x.set(i, pixels.uniform(i));
      }
      Tensor y = tasks.get(part + "/y");
      for (long i = 0; i < y.size(); i++) {
        y.set(i, i % step.ways());
      }
    }
    Tensor keys = tasks.get("key");
    for (int t = 0; t < StepCase.TASKS; t++) {
      Key k = key.fold(100 + t);
      keys.set(2L * t, k.k0());
      keys.set(2L * t + 1, k.k1());
    }
  }

  /** One meta-step. */
  public void run() {
    bound.run();
  }

  /** Floating-point operations of one meta-step by the plan's own count. */
  public long flops() {
    return plan.flops();
  }

  /** Bytes of the plan's working memory. */
  public long bytes() {
    return plan.bytes();
  }

  /** Seconds that tracing and compiling took. */
  public double compileSeconds() {
    return compileSeconds;
  }

  @Override
  public void close() {
    plan.close();
    device.close();
    scope.close();
  }
}
