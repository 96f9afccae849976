package dev.vauban.bench.steps;

import static dev.vauban.tensor.Vmap.vmapToArray;

import dev.vauban.bench.peers.BatchStep;
import dev.vauban.bench.peers.BatchStep.Ascent;
import dev.vauban.bench.peers.BatchStep.Momentum;
import dev.vauban.bench.peers.BatchStep.Norms;
import dev.vauban.bench.peers.MetaStep;
import dev.vauban.bench.peers.MetaStep.Values;
import dev.vauban.bench.steps.BatchCase.Goal;
import dev.vauban.nn.Batch;
import dev.vauban.nn.BatchStatistics;
import dev.vauban.nn.Folding;
import dev.vauban.nn.Loss;
import dev.vauban.nn.Losses;
import dev.vauban.nn.Model;
import dev.vauban.nn.Optimizer;
import dev.vauban.nn.Schedule;
import dev.vauban.nn.Sgd;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Grad;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.backend.cpu.CpuDevice;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * A {@link BatchCase} compiled and bound: random images, each labelled with some class, and a start
 * within the ball around them.
 *
 * <p>Attacked images that do not influence each other (folded batch norm) are attacked in slices,
 * which the workers share out. A batch that shares its statistics stays whole.
 */
public final class BoundBatch implements BoundCase {
  private static final Key KEY = Key.of(2);
  private static final double RATE = 0.1;
  private static final double HEAD = 0.1;
  private static final int PIXELS = 1;
  private static final int START = 2;
  private static final int MOVES = 3;
  private static final int SLICE = 32; // images; see docs/performance.md

  private final BatchCase batch;
  private final Model model;
  private final Sgd optimizer = new Sgd(Schedule.constant(RATE), 0.9, Sgd.Form.HEAVY_BALL, 0);
  private final BoundPlan plan;

  /** Compiles for the processor. */
  BoundBatch(BatchCase batch, int threads) {
    this(batch, CpuDevice.open(threads).in(batch.precision()));
  }

  /**
   * Compiles for any device.
   *
   * @param device closed with the batch
   */
  public BoundBatch(BatchCase batch, Device device) {
    this.batch = batch;
    this.model = batch.goal() == Goal.TRAIN ? batch.model() : Folding.of(batch.model());
    int[] image = batch.image().dims();
    Type images = Type.f32(batch.images(), image[0], image[1], image[2]);
    Tree<Type> types =
        Tree.<Type>empty()
            .with("weights", model.types())
            .with("x", images)
            .with("start", images)
            .with("y", Type.i32(batch.images()));
    Tree<Type> results = Tree.of("images", images);
    if (batch.goal() == Goal.TRAIN) {
      types = types.with("velocity", model.types()).with("number", Type.i32());
      results = Tree.of("weights", model.types()).with("velocity", model.types());
    }
    this.plan = new BoundPlan(device, types, results, this::program, this::fill);
  }

  private Tree<Expr> program(Tree<Expr> in) {
    return switch (batch.goal()) {
      case ATTACK, AUTO_ATTACK -> Tree.of("images", attackedInSlices(in));
      case TRAIN -> trained(in);
    };
  }

  private Expr attackedInSlices(Tree<Expr> in) {
    Tree<Expr> w = in.sub("weights");
    Tree<Expr> slices =
        Tree.of(
            "x", sliced(in.get("x")), "start", sliced(in.get("start")), "y", sliced(in.get("y")));
    return vmapToArray(t -> attacked(w, t), slices).reshape(in.get("x").shape());
  }

  /** [N,...] as [slices, N/slices, ...]. */
  private static Expr sliced(Expr all) {
    int n = all.shape().dim(0);
    int slices = n % SLICE == 0 ? n / SLICE : 1;
    return all.reshape(all.shape().with(0, n / slices).prepend(slices));
  }

  private Expr attacked(Tree<Expr> w, Tree<Expr> t) {
    UnaryOperator<Expr> loss = x -> Losses.crossEntropy(model.logits(w, x), t.get("y"));
    return batch.goal() == Goal.AUTO_ATTACK
        ? batch.apgd().ascendFrom(loss, t.get("x"), t.get("start"))
        : batch.pgd().ascendFrom(loss, t.get("x"), t.get("start"));
  }

  /** Madry et al. 2018: the gradient of the loss of the attacked images, and a step with it. */
  private Tree<Expr> trained(Tree<Expr> in) {
    Loss loss = Loss.crossEntropy(model);
    Tree<Expr> weights = in.sub("weights");
    Batch<Expr> worst = new Batch<>(attacked(weights, in), in.get("y"));
    Tree<Expr> gradient = Grad.grad(w -> loss.of(w, worst), weights);
    Optimizer.Update u =
        optimizer.update(
            weights, gradient, Tree.of("velocity", in.sub("velocity")), in.get("number"));
    return Tree.of("weights", u.weights()).with("velocity", u.state().sub("velocity"));
  }

  private void fill(Tree<Tensor> inputs, Scope scope, Device device) {
    fillImages(inputs);
    Tensor y = inputs.get("y");
    for (long i = 0; i < y.size(); i++) {
      y.set(i, i % BatchCase.CLASSES);
    }
    Model source = batch.model();
    Tree<Tensor> initial = initial(source, scope);
    Tree<Tensor> own = inputs.sub("weights");
    if (batch.goal() == Goal.TRAIN) {
      own.mapPaths((path, t) -> t.copyFrom(initial.get(path)));
      return;
    }
    BoundPlan.copy(
        device,
        Tree.of("w", initial).with("x", inputs.get("x")),
        in -> {
          Tree<Expr> w = in.sub("w");
          return Folding.weights(source, w, BatchStatistics.gather(source, w, in.get("x")));
        },
        own);
  }

  /**
   * Initial weights with a tenth of the head: none of the images is classified so surely that its
   * gradient, a probability minus 1, is nothing but rounding.
   */
  private static Tree<Tensor> initial(Model model, Scope scope) {
    Tree<Tensor> weights = model.init(scope, KEY.fold(0));
    Tensor head = weights.get("head/w");
    for (long i = 0; i < head.size(); i++) {
      head.set(i, HEAD * head.get(i));
    }
    return weights;
  }

  private static void fillImages(Tree<Tensor> inputs) {
    Tensor x = inputs.get("x");
    Tensor start = inputs.get("start");
    Key pixels = KEY.fold(PIXELS);
    Key moves = KEY.fold(START);
    for (long i = 0; i < x.size(); i++) {
      double pixel = pixels.uniform(i);
      x.set(i, pixel);
      double moved = pixel + (2 * moves.uniform(i) - 1) * BatchCase.EPS;
      start.set(i, Math.min(1, Math.max(0, moved)));
    }
  }

  @Override
  public BatchCase benchCase() {
    return batch;
  }

  @Override
  public void run() {
    plan.run();
  }

  @Override
  public BatchStep numbers() {
    Tree<Tensor> in = plan.inputs();
    Map<String, Values> weights = new LinkedHashMap<>();
    in.sub("weights").paths().forEach((path, t) -> weights.put(path, StepNumbers.values(t)));
    boolean training = batch.goal() == Goal.TRAIN;
    return new BatchStep(
        batch.network(),
        training ? Norms.BATCH : Norms.FOLDED,
        weights,
        StepNumbers.values(in.get("x")),
        StepNumbers.values(in.get("start")),
        in.get("y").toInts(),
        batch.goal() == Goal.AUTO_ATTACK ? Ascent.APGD : Ascent.PGD,
        new MetaStep.Attack(BatchCase.EPS, BatchCase.STEP, batch.steps()),
        training ? new Momentum(RATE, optimizer.momentum()) : null,
        batch.precision());
  }

  /** The perturbation; in training the gradient, which is the velocity after its first step. */
  @Override
  public Map<String, float[]> result() {
    Map<String, float[]> result = new LinkedHashMap<>();
    if (batch.goal() == Goal.TRAIN) {
      plan.outputs().sub("velocity").paths().forEach((path, v) -> result.put(path, v.toFloats()));
      return result;
    }
    float[] moved = plan.outputs().get("images").toFloats();
    float[] x = plan.inputs().get("x").toFloats();
    for (int i = 0; i < x.length; i++) {
      moved[i] -= x[i];
    }
    result.put("perturbation", moved);
    return result;
  }

  @Override
  public Map<String, float[]> resultNear(double distance) {
    for (String part : new String[] {"x", "start"}) {
      BoundPlan.nudge(plan.inputs().get(part), KEY.fold(MOVES), distance);
    }
    try {
      plan.reread();
      plan.run();
      return result();
    } finally {
      fillImages(plan.inputs());
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
