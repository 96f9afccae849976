package dev.vauban.meta.tuning;

import dev.vauban.nn.Optimizer;
import dev.vauban.nn.TrainingStep;
import dev.vauban.nn.Tuner;
import dev.vauban.tensor.DType;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Grad;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.ShapeException;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.Vmap;
import java.util.List;

/**
 * Trains a tuner on families of problems, all in one compiled step: tune every problem for a
 * segment of steps, judge every step, differentiate through all of them, average, update. A family
 * may have other variables than the next.
 *
 * <p>The state is that of the {@link TrainingStep} and where the problems stand ({@code
 * problems/FAMILY/...}); a trainer restored from it goes on to the same bits. A trainer serves one
 * thread.
 */
public final class TunerTrainer implements AutoCloseable {
  private final List<Problems> families;
  private final int tasks;
  private final Unroll unroll;
  private final Tree<Tensor> inputs;
  private final TrainingStep step;

  private TunerTrainer(
      List<Problems> families, int tasks, Unroll unroll, Tree<Tensor> inputs, TrainingStep step) {
    this.families = families;
    this.tasks = tasks;
    this.unroll = unroll;
    this.inputs = inputs;
    this.step = step;
  }

  /**
   * Compiles the meta-step and starts at step 0.
   *
   * @param device where it runs; must stay open
   * @param tuner what is trained
   * @param families problems to train on, with names that differ; what they share must stay open
   * @param tasks problems of each family in a meta-step
   * @param unroll how far
   * @param gradients what the tuner gets to see
   * @param weights the tuner's initial weights, copied
   * @param optimizer how the meta-gradient changes them
   * @param key the source of all randomness but the problems'
   * @throws IllegalArgumentException if there is no family, two have the same name, or the tuner
   *     has nothing to learn
   */
  public static TunerTrainer compile(
      Device device,
      Tuner tuner,
      List<Problems> families,
      int tasks,
      Unroll unroll,
      Gradients gradients,
      Tree<Tensor> weights,
      Optimizer optimizer,
      Key key) {
    if (families.isEmpty() || tasks < 1 || tuner.weights().size() == 0) {
      throw new IllegalArgumentException(
          "a tuner with weights trains on at least 1 family and 1 task of each, not on %d and %d"
              .formatted(families.size(), tasks));
    }
    if (families.stream().map(Problems::name).distinct().count() < families.size()) {
      throw new IllegalArgumentException(
          "families have names that differ, not " + families.stream().map(Problems::name).toList());
    }
    List<Tuning> all = families.stream().map(p -> new Tuning(p, tuner, gradients)).toList();
    Scope scope = Scope.open();
    try {
      Tree<Tensor> inputs = Tree.empty();
      for (Tuning t : all) {
        inputs = inputs.with(t.problems().name(), inputsOf(t, weights, tasks, scope));
      }
      TrainingStep step =
          TrainingStep.compile(
              device,
              (w, in, k) -> slope(all, unroll, w, in, k),
              TrainingStep.Inputs.of(inputs)
                  .fixing(families.stream().map(f -> f.name() + "/shared").toArray(String[]::new))
                  .ownedBy(scope),
              weights,
              optimizer,
              key);
      return new TunerTrainer(List.copyOf(families), tasks, unroll, inputs, step);
    } catch (Throwable failure) {
      scope.close();
      throw failure;
    }
  }

  private static Tree<Tensor> inputsOf(
      Tuning tuning, Tree<Tensor> weights, int tasks, Scope scope) {
    Program start = Program.trace(weights.map(Tensor::type), w -> tuning.start(w).tree());
    return Tree.<Tensor>empty()
        .with("shared", tuning.problems().shared(scope))
        .with("own", scope.tensors(each(tasks, tuning.problems().own())))
        .with("at", scope.tensors(each(tasks, start.outputs())));
  }

  /** These types with an axis for the tasks in front. */
  static Tree<Type> each(int tasks, Tree<Type> types) {
    return types.map(t -> t.with(t.shape().prepend(tasks)));
  }

  private static TrainingStep.Slope slope(
      List<Tuning> all, Unroll unroll, Tree<Expr> weights, Tree<Expr> in, Expr key) {
    Expr number = in.get("state/step");
    Expr episode = number.cast(DType.F32).div(unroll.segments()).floor().cast(DType.I32);
    Expr segment = number.sub(episode.mul(unroll.segments()));
    Grad.Extended g =
        Grad.extended(
            w -> {
              Expr total = null;
              Tree<Expr> ends = Tree.empty();
              for (int f = 0; f < all.size(); f++) {
                Tuning t = all.get(f);
                Tree<Expr> family = in.sub(t.problems().name());
                Tree<Expr> out = family(t, unroll, w, family, segment, key.fold(f));
                Expr loss = out.get("loss").mean();
                total = total == null ? loss : total.add(loss);
                ends = ends.with(t.problems().name(), out.with("loss", loss));
              }
              return new Grad.Outcome(total.div(all.size()), Tree.of("families", ends));
            },
            weights);
    return new TrainingStep.Slope(g.gradient(), g.extras().with("loss", g.value()));
  }

  /**
   * All tasks of a family through one segment: {@code loss} [tasks], {@code at} as it is handed on.
   */
  private static Tree<Expr> family(
      Tuning tuning, Unroll unroll, Tree<Expr> w, Tree<Expr> in, Expr segment, Expr key) {
    int tasks = in.sub("own").leaves().getFirst().shape().dim(0);
    Tree<Expr> elements =
        Tree.<Expr>empty()
            .with("own", in.sub("own"))
            .with("at", in.sub("at"))
            .with("task", Expr.iota(new Type(DType.I32, Shape.of(tasks)), 0));
    return Vmap.vmap(
        e -> segment(tuning, unroll, w, in.sub("shared"), e, segment, key.fold(e.get("task"))),
        elements);
  }

  /** One task through one segment: {@code loss}, and {@code at} as it is handed on. */
  static Tree<Expr> segment(
      Tuning tuning,
      Unroll unroll,
      Tree<Expr> w,
      Tree<Expr> shared,
      Tree<Expr> element,
      Expr segment,
      Expr key) {
    Tree<Expr> own = element.sub("own");
    Expr first = segment.cast(DType.F32).eq(0);
    Tree<Expr> begin =
        tuning.start(w).tree().zip(element.sub("at"), (s, a) -> Expr.select(first, s, a));
    Tuning.At at = Tuning.At.of(begin);
    Expr loss = null;
    for (int k = 0; k < unroll.steps(); k++) {
      Expr number = segment.mul(unroll.steps()).add(k);
      at = tuning.step(w, at, number, shared, own, key);
      Expr term =
          tuning
              .problems()
              .loss(at.variables(), unroll.judged(), shared, own)
              .mul(unroll.weighting().of(k, unroll.steps()));
      loss = loss == null ? term : loss.add(term);
    }
    return Tree.of("loss", loss).with("at", at.tree());
  }

  /** One meta-step: a segment of the present problems, or the first of new ones. */
  public void step() {
    if (number() % unroll.segments() == 0) {
      long first = number() / unroll.segments() * tasks;
      families.forEach(f -> f.fill(first, inputs.sub(f.name() + "/own")));
    }
    step.run();
    for (Problems f : families) {
      copy(step.metrics().sub("families/" + f.name() + "/at"), inputs.sub(f.name() + "/at"));
    }
  }

  private static void copy(Tree<Tensor> from, Tree<Tensor> to) {
    to.zip(from, Tensor::copyFrom);
  }

  /** Meta-steps taken, counting those before a restored state. */
  public long number() {
    return step.number();
  }

  /** The meta-loss of the last step, the mean over all families. */
  public double loss() {
    return step.metrics().get("loss").get(0);
  }

  /** The meta-loss of the last step on one family. */
  public double loss(Problems family) {
    return step.metrics().get("families/" + family.name() + "/loss").get(0);
  }

  /** The tuner's weights now: own tensors, which the next but one step overwrites. */
  public Tree<Tensor> weights() {
    return step.weights();
  }

  /** All of the state now, for a checkpoint; own tensors. */
  public Tree<Tensor> state() {
    Tree<Tensor> all = step.state();
    Tree<Tensor> problems = Tree.empty();
    for (Problems f : families) {
      problems = problems.with(f.name(), standing(f));
    }
    return all.with("problems", problems);
  }

  private Tree<Tensor> standing(Problems family) {
    Tree<Tensor> in = inputs.sub(family.name());
    return Tree.<Tensor>empty().with("own", in.sub("own")).with("at", in.sub("at"));
  }

  /** The types of the state: what a checkpoint must hold. */
  public Tree<Type> stateTypes() {
    return state().map(Tensor::type);
  }

  /**
   * Goes on from a state that {@link #state} gave, of this or another trainer of the same kind.
   *
   * @throws ShapeException if it has another structure or other types
   */
  public void restore(Tree<Tensor> state) {
    if (!state.sameStructure(stateTypes())) {
      throw new ShapeException("this is not the state of a training on these problems");
    }
    families.forEach(f -> copy(state.sub("problems/" + f.name()), standing(f)));
    Tree<Tensor> own = Tree.empty();
    for (String part : step.stateTypes().children().keySet()) {
      own = own.with(part, state.sub(part));
    }
    step.restore(own);
  }

  /** The compiled step. */
  public Plan plan() {
    return step.plan();
  }

  /** Frees the plan and the state. */
  @Override
  public void close() {
    step.close();
  }
}
