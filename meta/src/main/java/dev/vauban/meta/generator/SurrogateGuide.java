package dev.vauban.meta.generator;

import dev.vauban.adversarial.blackbox.Answers;
import dev.vauban.adversarial.blackbox.Guide;
import dev.vauban.nn.Batch;
import dev.vauban.nn.Optimizers;
import dev.vauban.nn.TrainingStep;
import dev.vauban.tensor.Binding;
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

/**
 * A guide that knows surrogate models (Yin et al. 2023, section 3.4). It proposes what a {@link
 * Proposal} makes of them, and after every answer moves their probabilities towards those of the
 * model under attack, on images drawn from the last that were answered.
 *
 * <p>Differences from the paper: surrogates learn the probabilities of all classes, not the true
 * class's alone, since an answer has them all; and they learn before every round of proposals for a
 * group instead of after every image, so that images of a group are computed together.
 */
public final class SurrogateGuide implements Guide {
  private final Scope scope;
  private final Proposal proposal;
  private final int together;
  private final Feedback feedback;
  private final Key key;
  private final History history;
  private final Tree<Tensor> inputs;
  private final Tree<Tensor> outputs;
  private final Plan plan;
  private final Plan.Bound bound;
  private final Tensor answeredImages;
  private final Tensor answers;
  private final TrainingStep fit;
  private boolean news;

  /**
   * How surrogates learn from answers.
   *
   * @param steps of Adam before every round of proposals, at least 0; 0 for surrogates that stay as
   *     they are
   * @param rate Adam's, more than 0
   * @param batch answered images of a step, at least 1; 20 in the paper
   * @param memory how many answered images are kept, at least 1
   */
  public record Feedback(int steps, double rate, int batch, int memory) {
    /** Checks the ranges. */
    public Feedback {
      if (steps < 0 || !(rate > 0) || batch < 1 || memory < 1) {
        throw new IllegalArgumentException(
            "feedback has at least 0 steps, a rate above 0, and at least 1 image of a batch and in"
                + " memory, not %d, %s, %d and %d".formatted(steps, rate, batch, memory));
      }
    }

    /** None. */
    public static Feedback none() {
      return new Feedback(0, 1, 1, 1);
    }
  }

  /**
   * A guide; compiles.
   *
   * @param device where it computes; must stay open
   * @param surrogates whom it knows
   * @param surrogateWeights theirs, copied
   * @param proposal what it makes of them
   * @param proposalWeights of the types {@link Proposal#weights}, copied
   * @param feedback how the surrogates learn
   * @param together images of a group, at least 1
   * @param key of the draws from memory
   */
  public SurrogateGuide(
      Device device,
      Surrogates surrogates,
      Tree<Tensor> surrogateWeights,
      Proposal proposal,
      Tree<Tensor> proposalWeights,
      Feedback feedback,
      int together,
      Key key) {
    if (together < 1) {
      throw new IllegalArgumentException("a group has at least 1 image, not " + together);
    }
    this.scope = Scope.open();
    this.proposal = proposal;
    this.feedback = feedback;
    this.together = together;
    this.key = key;
    this.history = new History(feedback.memory());
    Tree<Type> types =
        Tree.of(
                "x", Type.f32(surrogates.image().insert(0, together).dims()),
                "y", Type.i32(together),
                "keys", Type.i32(together, 2))
            .with("round", Type.i32())
            .with("surrogates", surrogates.types())
            .with("proposal", proposal.weights());
    TrainingStep fitting = null;
    Plan proposing = null;
    try {
      Binding.check("surrogates", surrogates.types(), surrogateWeights);
      Binding.check("proposal", proposal.weights(), proposalWeights);
      Program program = Program.trace(types, in -> propose(proposal, in));
      this.inputs = scope.tensors(types);
      this.outputs = scope.tensors(program.outputs());
      this.answeredImages =
          scope.tensor(Type.f32(surrogates.image().insert(0, feedback.batch()).dims()));
      this.answers = scope.tensor(Type.f32(feedback.batch(), surrogates.classes()));
      copy(surrogateWeights, inputs.sub("surrogates"));
      copy(proposalWeights, inputs.sub("proposal"));
      fitting = feedback.steps() == 0 ? null : fit(device, surrogates, surrogateWeights);
      proposing = device.compile(program);
      this.fit = fitting;
      this.plan = proposing;
      this.bound = plan.bind(inputs, outputs);
    } catch (Throwable failure) {
      if (fitting != null) {
        fitting.close();
      }
      if (proposing != null) {
        proposing.close();
      }
      scope.close();
      throw failure;
    }
  }

  private static Tree<Expr> propose(Proposal proposal, Tree<Expr> in) {
    Batch<Expr> batch = new Batch<>(in.get("x"), in.get("y"), in.get("keys"));
    Proposal.Next next =
        proposal.of(in.sub("proposal"), in.sub("surrogates"), batch, in.get("round"));
    return Tree.<Expr>empty().with("images", next.images()).with("proposal", next.weights());
  }

  private TrainingStep fit(Device device, Surrogates surrogates, Tree<Tensor> weights) {
    return TrainingStep.compile(
        device,
        (w, in, k) -> {
          Grad.Result g =
              Grad.valueAndGrad(v -> surrogates.difference(v, in.get("x"), in.get("p")).mean(), w);
          return new TrainingStep.Slope(g.gradient(), Tree.of("loss", g.value()));
        },
        TrainingStep.Inputs.of(Tree.of("x", answeredImages, "p", answers)),
        weights,
        Optimizers.adam(feedback.rate()),
        key);
  }

  @Override
  public String name() {
    return proposal.name();
  }

  @Override
  public int together() {
    return together;
  }

  @Override
  public float[][] propose(float[][] images, int[] labels, int round, Key[] keys) {
    learnFromMemory();
    for (int i = 0; i < together; i++) {
      int from = i % images.length; // an incomplete group is filled up with its own images
      History.write(inputs.get("x"), i, images[from]);
      inputs.get("y").set(i, labels[from]);
      inputs.get("keys").set(2L * i, keys[from].k0());
      inputs.get("keys").set(2L * i + 1, keys[from].k1());
    }
    inputs.get("round").set(0, round);
    bound.run();
    copy(outputs.sub("proposal"), inputs.sub("proposal"));
    float[] all = outputs.get("images").toFloats();
    float[][] candidates = new float[images.length][images[0].length];
    for (int i = 0; i < candidates.length; i++) {
      System.arraycopy(all, i * candidates[i].length, candidates[i], 0, candidates[i].length);
    }
    return candidates;
  }

  private void learnFromMemory() {
    if (fit == null || !news) {
      return;
    }
    for (int k = 0; k < feedback.steps(); k++) {
      history.fill(key.fold(fit.number()), answeredImages, answers);
      fit.run();
    }
    copy(fit.weights(), inputs.sub("surrogates"));
    news = false;
  }

  /**
   * The surrogates' mean squared difference from the answers in the last step of learning; NaN
   * before the first.
   */
  public double difference() {
    return fit == null || fit.number() == 0 ? Double.NaN : fit.metrics().get("loss").get(0);
  }

  @Override
  public void learn(float[][] images, Answers answered) {
    if (fit != null) {
      history.add(images, answered);
      news = true;
    }
  }

  private static void copy(Tree<Tensor> from, Tree<Tensor> to) {
    to.zip(from, Tensor::copyFrom);
  }

  /** Frees the plans. */
  @Override
  public void close() {
    if (fit != null) {
      fit.close();
    }
    plan.close();
    scope.close();
  }
}
