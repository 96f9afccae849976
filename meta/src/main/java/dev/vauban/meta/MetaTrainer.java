package dev.vauban.meta;

import static dev.vauban.tensor.Vmap.vmap;

import dev.vauban.adversarial.AdversarialTraining;
import dev.vauban.nn.Losses;
import dev.vauban.nn.Model;
import dev.vauban.nn.Optimizer;
import dev.vauban.nn.TrainingStep;
import dev.vauban.nn.data.EpisodeSampler;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Grad;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;

/**
 * Meta-training. One meta-step is one compiled plan: gather the images, adapt to every task, attack
 * the queries, differentiate, average over tasks, update. Tasks are the elements of one map, so
 * they run in parallel, each with its own gradient.
 *
 * <p>A step allocates nothing. {@link TrainingStep} says what the state holds: it is all there is,
 * since episodes {@code step * tasks} and following belong to step {@code step}. A trainer restored
 * from a saved state goes on to the same bits.
 *
 * <p>A trainer serves one thread.
 */
public final class MetaTrainer implements Learning {
  private final TrainingStep training;

  private MetaTrainer(TrainingStep training) {
    this.training = training;
  }

  @Override
  public TrainingStep training() {
    return training;
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
    EpisodeInputs episodes = EpisodeInputs.of(sampler, tasks, method.unlabeled());
    Scope scope = Scope.open();
    try (Scope temporary = Scope.open()) {
      Tree<Tensor> inputs = episodes.tensors(sampler.set(), scope);
      return new MetaTrainer(
          TrainingStep.compile(
              device,
              (theta, in, k) -> slope(method, model, episodes, theta, in, k),
              TrainingStep.Inputs.of(inputs)
                  .fixing("images")
                  .from(k -> episodes.fill(sampler, k * tasks, inputs))
                  .ownedBy(scope),
              method.training().init(weights, temporary),
              optimizer,
              key));
    } catch (Throwable failure) {
      scope.close();
      throw failure;
    }
  }

  /** The means over the tasks of gradient and figures. */
  private static TrainingStep.Slope slope(
      Method method,
      Model model,
      EpisodeInputs episodes,
      Tree<Expr> theta,
      Tree<Expr> in,
      Expr key) {
    Tree<Expr> tasks = episodes.indices(in).with("key", keys(key, episodes.tasks()));
    MetaLearner learner = method.training().at(in.get("state/step"));
    Tree<Expr> each =
        vmap(t -> judge(learner, method, model, theta, episodes.task(in.get("images"), t)), tasks);
    Tree<Expr> mean = each.map(e -> e.mean(0));
    return new TrainingStep.Slope(mean.sub("gradient"), mean.sub("metrics"));
  }

  /** Independent keys [n,2] from one. */
  private static Expr keys(Expr key, int n) {
    return key.broadcastTo(Shape.of(n, 2)).fold(Expr.iota(Type.i32(n), 0));
  }

  /** A task's gradient and figures. The figures share the loss's own adaptation and attack. */
  private static Tree<Expr> judge(
      MetaLearner learner, Method method, Model model, Tree<Expr> theta, Task<Expr> task) {
    Tree<Expr> losses = learner.taskLosses(theta, task);
    if (losses.size() > 1) {
      return judgeInTurn(losses, learner, method, model, theta, task);
    }
    Grad.Extended g =
        Grad.extended(
            w ->
                new Grad.Outcome(learner.taskLoss(w, task), score(learner, method, model, w, task)),
            theta);
    return Tree.<Expr>empty()
        .with("gradient", g.gradient())
        .with("metrics", g.extras().with("loss", g.value()));
  }

  /** A gradient for each loss, under the loss's name; the loss shown is their sum. */
  private static Tree<Expr> judgeInTurn(
      Tree<Expr> losses,
      MetaLearner learner,
      Method method,
      Model model,
      Tree<Expr> theta,
      Task<Expr> task) {
    Tree<Expr> gradients = Tree.empty();
    Expr total = Expr.scalar(0);
    for (String name : losses.children().keySet()) {
      Grad.Result g = Grad.valueAndGrad(w -> learner.taskLosses(w, task).get(name), theta);
      gradients = gradients.with(name, g.gradient());
      total = total.add(g.value());
    }
    return Tree.<Expr>empty()
        .with("gradient", gradients)
        .with("metrics", score(learner, method, model, theta, task).with("loss", total));
  }

  private static Tree<Expr> score(
      MetaLearner learner, Method method, Model model, Tree<Expr> theta, Task<Expr> task) {
    Tree<Expr> fast = learner.adapt(theta, task.support());
    Expr y = task.query().y();
    Tree<Expr> out =
        Tree.of("accuracy", Losses.accuracy(learner.logits(model, fast, task.query().x()), y));
    if (method.attack().isEmpty()) {
      return out;
    }
    AdversarialTraining training = new AdversarialTraining(method.attack().get());
    Expr adv = training.images(method.clean(), fast, task.query());
    return out.with("robustAccuracy", Losses.accuracy(learner.logits(model, fast, adv), y));
  }
}
