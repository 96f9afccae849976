package dev.vauban.meta;

import static dev.vauban.tensor.Vmap.repeat;
import static dev.vauban.tensor.Vmap.vmap;

import dev.vauban.adversarial.Attack;
import dev.vauban.nn.Batch;
import dev.vauban.nn.Losses;
import dev.vauban.nn.Model;
import dev.vauban.nn.data.EpisodeSampler;
import dev.vauban.nn.data.ImageSet;
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
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.IntConsumer;

/**
 * Evaluates meta-parameters by a {@link Protocol}: fine-tunes on clean support sets and scores
 * clean and attacked queries of the same episodes. A chunk of episodes is one run of one plan;
 * radius, meta-parameters and keys are its inputs, so one evaluator serves every method that adapts
 * in the same way, and whole curves over the radius.
 *
 * <p>Episode i is number i of the sampler, and the attack's randomness in it is {@code
 * key.fold(i)}: results do not depend on the size of a chunk or the number of threads. An evaluator
 * serves one thread.
 */
public final class Evaluator implements AutoCloseable {
  private final Scope scope;
  private final Plan plan;
  private final Protocol protocol;
  private final EpisodeSampler sampler;
  private final EpisodeInputs episodes;
  private final Tree<Tensor> inputs;
  private final Tree<Tensor> outputs;
  private final Plan.Sequence sequence;

  private Evaluator(
      Scope scope, Plan plan, Protocol protocol, EpisodeSampler sampler, EpisodeInputs episodes) {
    this.scope = scope;
    this.plan = plan;
    this.protocol = protocol;
    this.sampler = sampler;
    this.episodes = episodes;
    Tree<Type> types = plan.program().inputs();
    this.inputs =
        episodes
            .tensors(sampler.set(), scope)
            .with("keys", scope.tensor(types.get("keys")))
            .with("eps", scope.tensor(types.get("eps")));
    this.outputs = scope.tensors(plan.program().outputs());
    this.sequence = plan.sequence(inputs, outputs, new Plan.Kept("theta", Set.of("images")));
  }

  /**
   * Compiles the evaluation.
   *
   * @param device where it runs; must stay open
   * @param learner how to adapt: {@link Method#evaluation}
   * @param model the network
   * @param theta types of the meta-parameters
   * @param sampler evaluation episodes; its image set must stay open
   */
  public static Evaluator compile(
      Device device,
      MetaLearner learner,
      Model model,
      Tree<Type> theta,
      EpisodeSampler sampler,
      Protocol protocol) {
    EpisodeInputs episodes = EpisodeInputs.of(sampler, protocol.chunk());
    Tree<Type> inputs =
        episodes
            .types(sampler.set())
            .with("theta", theta)
            .with("keys", Type.i32(protocol.chunk(), 2))
            .with("eps", Type.f32());
    Program program = Program.trace(inputs, in -> evaluate(learner, model, episodes, protocol, in));
    Plan plan = device.compile(program);
    Scope scope = Scope.open();
    try {
      return new Evaluator(scope, plan, protocol, sampler, episodes);
    } catch (Throwable failure) {
      scope.close();
      plan.close();
      throw failure;
    }
  }

  private static Tree<Expr> evaluate(
      MetaLearner learner, Model model, EpisodeInputs episodes, Protocol protocol, Tree<Expr> in) {
    Attack attack = protocol.attack().apply(in.get("eps"));
    Tree<Expr> tasks = episodes.indices(in).with("key", in.get("keys"));
    return vmap(
        t -> {
          Task<Expr> task = episodes.task(in.get("images"), t);
          return judge(learner, model, protocol, attack, in.sub("theta"), task);
        },
        tasks);
  }

  private static Tree<Expr> judge(
      MetaLearner learner,
      Model model,
      Protocol protocol,
      Attack attack,
      Tree<Expr> theta,
      Task<Expr> task) {
    Expr x = task.query().x();
    Expr y = task.query().y();
    List<Expr> clean = new ArrayList<>();
    List<Expr> robust = new ArrayList<>();
    Tree<Expr> fast = learner.start(theta, task.support());
    Tree<Expr> last = Tree.empty();
    int done = 0;
    for (int steps : protocol.steps()) {
      int before = done;
      fast =
          repeat(
              steps - done,
              fast,
              (k, w) -> {
                Batch<Expr> support = support(learner, model, protocol, attack, w, task, k, before);
                return learner.step(theta, w, support);
              });
      done = steps;
      Tree<Expr> scored = fast;
      Tree<Expr> attacked =
          protocol.target() == Protocol.Target.ADAPTED
              ? fast
              : learner.start(theta, task.support());
      Expr adv =
          attack.perturb(
              z -> protocol.loss().of(learner.logits(model, attacked, z), y),
              x,
              task.query().key());
      Expr cleanLogits = learner.logits(model, scored, x);
      Expr advLogits = learner.logits(model, scored, adv);
      clean.add(Losses.accuracy(cleanLogits, y).reshape(1));
      robust.add(Losses.accuracy(advLogits, y).reshape(1));
      last =
          Tree.of(
              "adversarial", adv,
              "cleanPrediction", cleanLogits.argMax(-1),
              "adversarialPrediction", advLogits.argMax(-1));
    }
    return last.with("clean", Expr.concat(0, clean.toArray(Expr[]::new)))
        .with("robust", Expr.concat(0, robust.toArray(Expr[]::new)));
  }

  /** The support images of fine-tune step {@code before + k}, at the state {@code fast}. */
  private static Batch<Expr> support(
      MetaLearner learner,
      Model model,
      Protocol protocol,
      Attack attack,
      Tree<Expr> fast,
      Task<Expr> task,
      Expr k,
      int before) {
    Batch<Expr> clean = Task.atStep(task.support(), k.add(before));
    if (protocol.support() == Protocol.Support.CLEAN) {
      return clean;
    }
    return clean.withX(
        attack.perturb(
            z -> protocol.loss().of(learner.logits(model, fast, z), clean.y()),
            clean.x(),
            clean.key()));
  }

  /**
   * Evaluates.
   *
   * @param theta the meta-parameters, copied
   * @param count number of episodes, at least 1: episodes 0 to count - 1 of the sampler
   * @param eps the attack's radius, at least 0
   * @param key of the attack's randomness
   * @param examples how many attacked images to return
   * @param progress receives the number of episodes done after each chunk; may throw to stop
   */
  public Evaluation run(
      Tree<Tensor> theta, int count, double eps, Key key, int examples, IntConsumer progress) {
    if (count < 1 || !(eps >= 0) || Double.isInfinite(eps)) {
      throw new IllegalArgumentException(
          "an evaluation needs at least 1 episode and an eps of at least 0, not "
              + count
              + " and "
              + eps);
    }
    load(theta, eps);
    int rows = protocol.steps().size();
    double[][] clean = new double[rows][count];
    double[][] robust = new double[rows][count];
    List<Evaluation.Example> shown = new ArrayList<>();
    for (int first = 0; first < count; first += protocol.chunk()) {
      runChunk(first, key);
      for (int t = 0; t < Math.min(protocol.chunk(), count - first); t++) {
        for (int r = 0; r < rows; r++) {
          clean[r][first + t] = outputs.get("clean").get((long) t * rows + r);
          robust[r][first + t] = outputs.get("robust").get((long) t * rows + r);
        }
        collect(t, examples, shown);
      }
      progress.accept(Math.min(first + protocol.chunk(), count));
    }
    return new Evaluation(eps, protocol.steps(), clean, robust, shown);
  }

  /** {@link #run(Tree, int, double, Key, int, IntConsumer)} without images or progress. */
  public Evaluation run(Tree<Tensor> theta, int count, double eps, Key key) {
    return run(theta, count, eps, key, 0, done -> {});
  }

  private void load(Tree<Tensor> theta, double eps) {
    Binding.check("theta", plan.program().inputs().sub("theta"), theta);
    sequence.set(theta);
    inputs.get("eps").set(eps);
  }

  private void runChunk(int first, Key key) {
    episodes.fill(sampler, first, inputs);
    Tensor keys = inputs.get("keys");
    for (int t = 0; t < protocol.chunk(); t++) {
      Key k = key.fold(first + t);
      keys.set(2L * t, k.k0());
      keys.set(2L * t + 1, k.k1());
    }
    sequence.start();
    sequence.finish();
  }

  // One query per class in turn, so that a few examples show several classes.
  private void collect(int t, int wanted, List<Evaluation.Example> shown) {
    int perTask = episodes.ways() * episodes.queries();
    for (int i = 0; i < perTask && shown.size() < wanted; i++) {
      int label = i % episodes.ways();
      shown.add(example(t, label * episodes.queries() + i / episodes.ways(), label));
    }
  }

  private Evaluation.Example example(int t, int query, int label) {
    ImageSet set = sampler.set();
    int size = set.height() * set.width() * set.channels();
    int perTask = episodes.ways() * episodes.queries();
    long at = (long) t * perTask + query;
    MemorySegment bytes = set.image((int) inputs.get("query").get(at));
    float[] clean = new float[size];
    float[] adversarial = new float[size];
    for (int i = 0; i < size; i++) {
      clean[i] = (bytes.get(ValueLayout.JAVA_BYTE, i) & 0xFF) / 255f;
      adversarial[i] = (float) outputs.get("adversarial").get(at * size + i);
    }
    return new Evaluation.Example(
        set.height(),
        set.width(),
        set.channels(),
        clean,
        adversarial,
        label,
        (int) outputs.get("cleanPrediction").get(at),
        (int) outputs.get("adversarialPrediction").get(at));
  }

  /** The compiled evaluation of one chunk. */
  public Plan plan() {
    return plan;
  }

  /** Frees the plan. */
  @Override
  public void close() {
    sequence.close();
    plan.close();
    scope.close();
  }
}
