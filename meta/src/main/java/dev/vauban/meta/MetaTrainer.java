package dev.vauban.meta;

import static dev.vauban.tensor.Vmap.vmap;

import dev.vauban.adversarial.AdversarialTraining;
import dev.vauban.nn.Losses;
import dev.vauban.nn.Model;
import dev.vauban.nn.Optimizer;
import dev.vauban.nn.data.EpisodeSampler;
import dev.vauban.tensor.Binding;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Grad;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * Meta-training. One meta-step is one compiled plan: gather the images, adapt to every task, attack
 * the queries, differentiate, average over tasks, update. Tasks are the elements of one map, so
 * they run in parallel, each with its own gradient.
 *
 * <p>The plan reads one copy of the state and writes the other, then the copies change roles: a
 * step allocates nothing. The state is a tree of {@code weights/...} (the meta-parameters), {@code
 * optimizer/...}, {@code step} (I32) and {@code key} (I32 [2]), and it is all there is: episodes
 * {@code step * tasks} and following belong to step {@code step}, and its randomness comes from
 * {@code key.fold(step)}. A trainer restored from a saved state goes on to the same bits.
 *
 * <p>A trainer serves one thread.
 */
public final class MetaTrainer implements AutoCloseable {
  private final Scope scope = Scope.open();
  private final Plan plan;
  private final EpisodeSampler sampler;
  private final EpisodeInputs episodes;
  private final Tree<Tensor> inputs;
  private final Tree<Tensor> metrics;
  private final List<Tree<Tensor>> states;
  private final List<Plan.Bound> bound;
  private int current;
  private long number;

  private MetaTrainer(Plan plan, EpisodeSampler sampler, EpisodeInputs episodes) {
    this.plan = plan;
    this.sampler = sampler;
    this.episodes = episodes;
    this.inputs = episodes.tensors(sampler.set(), scope);
    this.metrics = scope.tensors(plan.program().outputs().sub("metrics"));
    this.states = List.of(scope.tensors(stateTypes()), scope.tensors(stateTypes()));
    this.bound = List.of(bind(0), bind(1));
  }

  private Plan.Bound bind(int from) {
    Tree<Tensor> out =
        Tree.<Tensor>empty()
            .with("state", withoutKey(states.get(1 - from)))
            .with("metrics", metrics);
    return plan.bind(inputs.with("state", states.get(from)), out);
  }

  /**
   * Compiles the meta-step and starts at step 0.
   *
   * @param device where it runs; must stay open
   * @param method what is trained
   * @param model the network
   * @param sampler training episodes; its image set must stay open
   * @param tasks tasks of a meta-step, the papers' meta-batch size
   * @param weights initial weights of the network, copied
   * @param optimizer how the meta-gradient changes the meta-parameters
   * @param key the source of the attacks' randomness; episodes have the sampler's
   */
  public static MetaTrainer compile(
      Device device,
      Method method,
      Model model,
      EpisodeSampler sampler,
      int tasks,
      Tree<Tensor> weights,
      Optimizer optimizer,
      Key key) {
    EpisodeInputs episodes = EpisodeInputs.of(sampler, tasks);
    Tree<Type> theta = method.training().types(weights.map(Tensor::type));
    Program start = Program.trace(theta, optimizer::init);
    Program program = program(method, model, sampler, episodes, theta, start.outputs(), optimizer);
    MetaTrainer trainer = new MetaTrainer(device.compile(program), sampler, episodes);
    try (Scope temporary = Scope.open()) {
      trainer.begin(device, start, method.training().init(weights, temporary), key);
    }
    return trainer;
  }

  /** The meta-step as a program, for plans and benchmarks. */
  private static Program program(
      Method method,
      Model model,
      EpisodeSampler sampler,
      EpisodeInputs episodes,
      Tree<Type> theta,
      Tree<Type> optimizerState,
      Optimizer optimizer) {
    Tree<Type> state =
        Tree.<Type>empty()
            .with("weights", theta)
            .with("optimizer", optimizerState)
            .with("step", Type.i32())
            .with("key", Type.i32(2));
    return Program.trace(
        episodes.types(sampler.set()).with("state", state),
        in -> step(method, model, episodes, optimizer, in));
  }

  private static Tree<Expr> step(
      Method method, Model model, EpisodeInputs episodes, Optimizer optimizer, Tree<Expr> in) {
    Tree<Expr> theta = in.sub("state/weights");
    Expr number = in.get("state/step");
    Expr taskKeys = keys(in.get("state/key").fold(number), episodes.tasks());
    Tree<Expr> tasks =
        Tree.of("support", in.get("support"), "query", in.get("query"), "key", taskKeys);
    Tree<Expr> each =
        vmap(t -> judge(method, model, theta, episodes.task(in.get("images"), t)), tasks);
    Tree<Expr> gradient = each.sub("gradient").map(g -> g.mean(0));
    Optimizer.Update u = optimizer.update(theta, gradient, in.sub("state/optimizer"), number);
    Tree<Expr> next =
        Tree.<Expr>empty()
            .with("weights", u.weights())
            .with("optimizer", u.state())
            .with("step", number.add(1));
    return Tree.<Expr>empty()
        .with("state", next)
        .with("metrics", each.sub("metrics").map(m -> m.mean(0)));
  }

  /** Independent keys [n,2] from one. */
  private static Expr keys(Expr key, int n) {
    return key.broadcastTo(Shape.of(n, 2)).fold(Expr.iota(Type.i32(n), 0));
  }

  /** A task's gradient and figures. The figures share the loss's own adaptation and attack. */
  private static Tree<Expr> judge(Method method, Model model, Tree<Expr> theta, Task<Expr> task) {
    Grad.Extended g =
        Grad.extended(
            w ->
                new Grad.Outcome(
                    method.training().taskLoss(w, task), score(method, model, w, task)),
            theta);
    return Tree.<Expr>empty()
        .with("gradient", g.gradient())
        .with("metrics", g.extras().with("loss", g.value()));
  }

  private static Tree<Expr> score(Method method, Model model, Tree<Expr> theta, Task<Expr> task) {
    Tree<Expr> fast = method.training().adapt(theta, task.support());
    Expr y = task.query().y();
    Tree<Expr> out = Tree.of("accuracy", Losses.accuracy(model.logits(fast, task.query().x()), y));
    if (method.attack().isEmpty()) {
      return out;
    }
    AdversarialTraining training = new AdversarialTraining(method.attack().get());
    Expr adv = training.images(method.clean(), fast, task.query());
    return out.with("robustAccuracy", Losses.accuracy(model.logits(fast, adv), y));
  }

  private void begin(Device device, Program optimizerStart, Tree<Tensor> theta, Key key) {
    Tree<Tensor> state = states.get(0);
    copy(theta, state.sub("weights"));
    if (optimizerStart.outputs().size() > 0) {
      try (Plan init = device.compile(optimizerStart)) {
        init.bind(theta, state.sub("optimizer")).run();
      }
    }
    for (Tree<Tensor> s : states) {
      s.get("key").set(0, key.k0());
      s.get("key").set(1, key.k1());
    }
  }

  /** One meta-step on the next episodes. Allocates nothing; the figures are those before it. */
  public void step() {
    episodes.fill(sampler, number * episodes.tasks(), inputs);
    bound.get(current).run();
    current = 1 - current;
    number++;
  }

  /** Number of meta-steps taken, counting those before a restored state. */
  public long number() {
    return number;
  }

  /** Mean task loss of the last step. */
  public double loss() {
    return metrics.get("loss").get(0);
  }

  /** Mean accuracy on clean queries after adaptation, of the last step; 0 to 1. */
  public double accuracy() {
    return metrics.get("accuracy").get(0);
  }

  /** The same on the queries that training attacked; empty if the method attacks none. */
  public OptionalDouble robustAccuracy() {
    return metrics.has("robustAccuracy")
        ? OptionalDouble.of(metrics.get("robustAccuracy").get(0))
        : OptionalDouble.empty();
  }

  /** The meta-parameters now: the trainer's own tensors, which the next but one step overwrites. */
  public Tree<Tensor> weights() {
    return state().sub("weights");
  }

  /** All of the state now, for a checkpoint; the trainer's own tensors. */
  public Tree<Tensor> state() {
    return states.get(current);
  }

  /** The types of the state: what a checkpoint must hold. */
  public Tree<Type> stateTypes() {
    return plan.program().inputs().sub("state");
  }

  /**
   * Goes on from a state that {@link #state} gave, of this or another trainer of the same kind.
   *
   * @throws dev.vauban.tensor.ShapeException if it has another structure or other types
   */
  public void restore(Tree<Tensor> state) {
    Binding.check("state", stateTypes(), state);
    copy(state, states.get(current));
    states.get(1 - current).get("key").copyFrom(state.get("key"));
    number = (long) state.get("step").get(0);
  }

  /** The compiled meta-step. */
  public Plan plan() {
    return plan;
  }

  private static void copy(Tree<Tensor> from, Tree<Tensor> to) {
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
