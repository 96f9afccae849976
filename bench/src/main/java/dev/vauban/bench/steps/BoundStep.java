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
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Scope;
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
public final class BoundStep implements AutoCloseable {
  private static final double META_RATE = 1e-3;
  private static final Key KEY = Key.of(1);
  private static final int MOVES = 200; // folded into the key, as 100 and up are for the tasks

  private final Scope scope = Scope.open();
  private final Device device;
  private final Plan plan;
  private final Plan.Bound bound;
  private final StepCase step;
  private final Adam optimizer = Optimizers.adam(META_RATE);
  private final Tree<Tensor> inputs;
  private final Tree<Tensor> outputs;
  private final double compileSeconds;

  /** Compiles. */
  public BoundStep(StepCase step, int threads) {
    this.step = step;
    Device cpu =
        CpuDevice.open(
            threads,
            switch (step.kernels()) {
              case BEST -> CpuDevice.Kernels.BEST;
              case JAVA -> CpuDevice.Kernels.JAVA;
            });
    this.device = cpu.in(step.precision());
    Plan compiled = null;
    try {
      Model model = step.model();
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
      compiled = device.compile(program);
      this.plan = compiled;
      this.compileSeconds = (System.nanoTime() - began) / 1e9;

      this.inputs = scope.tensors(types);
      Tree<Tensor> initial = model.init(scope, KEY.fold(0));
      inputs.sub("weights").mapPaths((path, t) -> t.copyFrom(initial.get(path)));
      try (Plan init = device.compile(start)) {
        init.bind(inputs.sub("weights"), inputs.sub("optimizer")).run();
      }
      fill(inputs.sub("tasks"), step, KEY);
      this.outputs = scope.tensors(program.outputs());
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

  private static Tree<Type> tasks(StepCase step) {
    return Tree.<Type>empty()
        .with("support", batch(step, step.ways() * step.shots()))
        .with("query", batch(step, step.ways() * step.queries()))
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

  /** What it runs. */
  StepCase step() {
    return step;
  }

  /** The numbers it works on, for another framework. */
  public MetaStep numbers() {
    return StepNumbers.of(step, optimizer, META_RATE, inputs);
  }

  /**
   * The meta-gradient of the last run, by path: Adam's first moment after its first step is the
   * gradient times 1 - beta1.
   */
  public Map<String, float[]> metaGradient() {
    float share = (float) (1 - optimizer.beta1());
    Map<String, float[]> gradient = new LinkedHashMap<>();
    outputs
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

  /** The meta-gradient with every pixel moved up or down by {@code distance}. */
  public Map<String, float[]> metaGradientNear(double distance) {
    for (String part : new String[] {"support/x", "query/x"}) {
      move(inputs.sub("tasks").get(part), distance);
    }
    try {
      bound.run();
      return metaGradient();
    } finally {
      fill(inputs.sub("tasks"), step, KEY);
    }
  }

  private static void move(Tensor x, double distance) {
    Key directions = KEY.fold(MOVES);
    for (long i = 0; i < x.size(); i++) {
      x.set(i, x.get(i) + (directions.bits(i) < 0 ? -distance : distance));
    }
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
