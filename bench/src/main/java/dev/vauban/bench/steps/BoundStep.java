package dev.vauban.bench.steps;

import static dev.vauban.tensor.Vmap.vmap;

import dev.vauban.bench.peers.MetaStep;
import dev.vauban.meta.MetaLearner;
import dev.vauban.meta.Task;
import dev.vauban.nn.Adam;
import dev.vauban.nn.Model;
import dev.vauban.nn.Optimizer;
import dev.vauban.nn.Optimizers;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Grad;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.backend.cpu.CpuDevice;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A {@link StepCase} compiled for a number of threads and bound to its data: random images, the
 * meta-gradient of all tasks and one Adam step. Every run does the same work on the same numbers.
 */
public final class BoundStep implements BoundCase {
  private static final double META_RATE = 1e-3;
  private static final Key KEY = Key.of(1);
  private static final int MOVES = 200; // folded into the key, as 100 and up are for the tasks

  private final StepCase step;
  private final Key key;
  private final Adam optimizer = Optimizers.adam(META_RATE);
  private final BoundPlan plan;

  /** Compiles for the processor. */
  public BoundStep(StepCase step, int threads) {
    this(
        step,
        CpuDevice.open(
                threads,
                switch (step.kernels()) {
                  case BEST -> CpuDevice.Kernels.BEST;
                  case JAVA -> CpuDevice.Kernels.JAVA;
                })
            .in(step.precision()),
        KEY);
  }

  /**
   * Compiles for any device.
   *
   * @param device in the case's precision; closed with the step
   * @param key of the weights and the data
   */
  public BoundStep(StepCase step, Device device, Key key) {
    this.step = step;
    this.key = key;
    Model model = step.model();
    Tree<Type> theta = model.types();
    Tree<Type> state =
        Tree.<Type>empty()
            .with("weights", theta)
            .with("optimizer", Program.trace(theta, optimizer::init).outputs());
    Tree<Type> types = state.with("number", Type.i32()).with("tasks", tasks(step));
    MetaLearner learner = step.method(model).training();
    this.plan =
        new BoundPlan(
            device,
            types,
            state.with("loss", Type.f32()),
            in -> update(learner, optimizer, in),
            (inputs, scope, opened) -> {
              Tree<Tensor> initial = model.init(scope, key.fold(0));
              inputs.sub("weights").mapPaths((path, t) -> t.copyFrom(initial.get(path)));
              BoundPlan.copy(
                  opened, inputs.sub("weights"), optimizer::init, inputs.sub("optimizer"));
              fill(inputs.sub("tasks"), step, key);
            });
  }

  private static Tree<Type> tasks(StepCase step) {
    return Tree.<Type>empty()
        .with("support", batch(step, step.batch().ways() * step.batch().shots()))
        .with("query", batch(step, step.batch().ways() * step.batch().queries()))
        .with("key", Type.i32(step.batch().tasks(), 2));
  }

  private static Tree<Type> batch(StepCase step, int n) {
    int[] image = step.image().dims();
    return Tree.of(
        "x", Type.f32(step.batch().tasks(), n, image[0], image[1], image[2]),
        "y", Type.i32(step.batch().tasks(), n));
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
        y.set(i, i % step.batch().ways());
      }
    }
    Tensor keys = tasks.get("key");
    for (int t = 0; t < step.batch().tasks(); t++) {
      Key k = key.fold(100 + t);
      keys.set(2L * t, k.k0());
      keys.set(2L * t + 1, k.k1());
    }
  }

  /** One meta-step. */
  @Override
  public void run() {
    plan.run();
  }

  @Override
  public StepCase benchCase() {
    return step;
  }

  @Override
  public MetaStep numbers() {
    return StepNumbers.of(step, optimizer, META_RATE, plan.inputs());
  }

  /**
   * The meta-gradient of the last run, by path: Adam's first moment after its first step is the
   * gradient times 1 - beta1.
   */
  @Override
  public Map<String, float[]> result() {
    float share = (float) (1 - optimizer.beta1());
    Map<String, float[]> gradient = new LinkedHashMap<>();
    plan.outputs()
        .sub("optimizer/m")
        .paths()
        .forEach((path, moment) -> {
          float[] g = moment.toFloats();
          for (int i = 0; i < g.length; i++) {
            g[i] /= share;
          }
          gradient.put(path, g);
        });
    return gradient;
  }

  @Override
  public Map<String, float[]> resultNear(double distance) {
    Tree<Tensor> tasks = plan.inputs().sub("tasks");
    for (String part : new String[] {"support/x", "query/x"}) {
      BoundPlan.nudge(tasks.get(part), key.fold(MOVES), distance);
    }
    try {
      plan.reread();
      plan.run();
      return result();
    } finally {
      fill(tasks, step, key);
      plan.reread();
    }
  }

  @Override
  public long flops() {
    return plan.flops();
  }

  @Override
  public long bytes() {
    return plan.bytes();
  }

  @Override
  public long traffic() {
    return plan.traffic();
  }

  @Override
  public double compileSeconds() {
    return plan.compileSeconds();
  }

  @Override
  public void close() {
    plan.close();
  }
}
