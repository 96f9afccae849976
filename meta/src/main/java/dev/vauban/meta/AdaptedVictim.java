package dev.vauban.meta;

import static dev.vauban.tensor.Vmap.repeat;

import dev.vauban.adversarial.blackbox.ModelOracle;
import dev.vauban.nn.BatchStatistics;
import dev.vauban.nn.Layer;
import dev.vauban.nn.Layers;
import dev.vauban.nn.Model;
import dev.vauban.nn.Weight;
import dev.vauban.nn.data.EpisodeSampler;
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

/**
 * A model adapted to the support images of one episode, as an oracle for black-box attacks on the
 * episode's queries.
 *
 * <p>An oracle judges each image on its own, so the batch norms get fixed statistics: those of the
 * support images under the adapted weights. Evaluations ({@link Evaluator}) instead normalise all
 * queries of an episode together, as the papers do, and their accuracies differ a little from what
 * this oracle says.
 */
public final class AdaptedVictim {
  private static final String STATE = "state";
  private static final String STATISTICS = "statistics";

  private AdaptedVictim() {}

  /**
   * Adapts.
   *
   * @param device where the oracle runs; must stay open
   * @param learner how to adapt: {@link Method#evaluation}
   * @param model the network
   * @param theta the meta-parameters, copied
   * @param sampler where episodes come from; not needed afterwards
   * @param episode number of the episode
   * @param steps of adaptation, at least 0
   * @param key of the adaptation's randomness
   * @param largestBatch the most images of one call
   */
  public static ModelOracle of(
      Device device,
      MetaLearner learner,
      Model model,
      Tree<Tensor> theta,
      EpisodeSampler sampler,
      long episode,
      int steps,
      Key key,
      int largestBatch) {
    EpisodeInputs episodes = EpisodeInputs.of(sampler, 1);
    Tree<Type> types =
        episodes
            .types(sampler.set())
            .with("theta", theta.map(Tensor::type))
            .with("key", Type.i32(2));
    Program program = Program.trace(types, in -> adapt(learner, model, episodes, steps, in));
    try (Plan plan = device.compile(program);
        Scope scope = Scope.open()) {
      Tree<Tensor> inputs =
          episodes.tensors(sampler.set(), scope).with("theta", theta).with("key", scope.key(key));
      episodes.fill(sampler, episode, inputs);
      Tree<Tensor> adapted = plan.run(scope, inputs);
      return new ModelOracle(
          device,
          model.input(),
          sampler.ways(),
          adapted,
          (w, x) -> learner.logits(fixed(model, statistics(w)), w.sub(STATE), x),
          largestBatch);
    }
  }

  private static Tree<Expr> adapt(
      MetaLearner learner, Model model, EpisodeInputs episodes, int steps, Tree<Expr> in) {
    Tree<Expr> element =
        episodes.indices(in).map(i -> i.reshape(i.shape().without(0))).with("key", in.get("key"));
    Task<Expr> task = episodes.task(in.get("images"), element);
    Tree<Expr> theta = in.sub("theta");
    Tree<Expr> fast =
        repeat(
            steps,
            learner.start(theta, task.support()),
            (k, w) -> learner.step(theta, w, Task.atStep(task.support(), k)));
    Tree<Expr> out = Tree.<Expr>empty().with(STATE, fast);
    Tree<Expr> statistics =
        BatchStatistics.gather(headless(model), learner.weights(fast), task.support().x());
    return statistics.size() == 0 ? out : out.with(STATISTICS, statistics);
  }

  private static Tree<Expr> statistics(Tree<Expr> adapted) {
    return adapted.has(STATISTICS) ? adapted.sub(STATISTICS) : Tree.empty();
  }

  /** The network up to its features; not every method keeps the head's weights. */
  private static Model headless(Model model) {
    return model.withHead(Layers.sequential());
  }

  /** The network whose body normalises by these statistics. */
  private static Model fixed(Model model, Tree<Expr> statistics) {
    return new Model(model.name(), model.input(), new FixedBody(model, statistics), model.head());
  }

  private record FixedBody(Model model, Tree<Expr> statistics) implements Layer {
    @Override
    public String kind() {
      return model.body().kind();
    }

    @Override
    public Shape output(Shape in) {
      return model.body().output(in);
    }

    @Override
    public Tree<Weight> weights(Shape in) {
      return model.body().weights(in);
    }

    @Override
    public Expr apply(Tree<Expr> w, Expr x) {
      return BatchStatistics.logits(headless(model), Tree.of("body", w), statistics, x);
    }
  }
}
