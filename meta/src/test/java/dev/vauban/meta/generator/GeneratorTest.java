package dev.vauban.meta.generator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.vauban.adversarial.Linf;
import dev.vauban.adversarial.MiFgsm;
import dev.vauban.nn.Models;
import dev.vauban.nn.Optimizer;
import dev.vauban.nn.Optimizers;
import dev.vauban.nn.TrainingStep;
import dev.vauban.nn.Weight;
import dev.vauban.nn.data.BatchSampler;
import dev.vauban.nn.data.DataOptions;
import dev.vauban.nn.data.DataSets;
import dev.vauban.nn.data.FewShotData;
import dev.vauban.nn.data.GlyphCounts;
import dev.vauban.nn.data.ImageSet;
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
import dev.vauban.tensor.backend.cuda.FakeCard;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The network, and what either lesson teaches it, beside plain loops. */
class GeneratorTest {
  private static final double EPS = 0.1;
  private static final int BATCH = 6;
  private static final Key ORDER = Key.of(8);
  private static final Key RANDOM = Key.of(9);
  private final Device device = Device.open("cpu:1");
  private final Scope scope = Scope.open();
  private final FewShotData data =
      DataSets.open(
          "glyphs", DataOptions.DEFAULT.withGlyphs(new GlyphCounts(4, 1, 1, 6)).withSize(12));
  private final ImageSet set = data.train();
  private final Shape image = Shape.of(12, 12, 1);
  private final Generator generator = new Generator(image, 4);
  private final Surrogates surrogates =
      new Surrogates(
          List.of(
              Models.named("linear", image, set.classCount()),
              Models.named("mlp-8", image, set.classCount())));
  private final Tree<Tensor> weights = Weight.init(generator.weights(), scope, Key.of(1));
  private final Tree<Tensor> theirs =
      Tree.<Tensor>empty()
          .with("s0", surrogates.models().get(0).init(scope, Key.of(2)))
          .with("s1", surrogates.models().get(1).init(scope, Key.of(3)));

  @AfterEach
  void close() {
    data.close();
    scope.close();
    device.close();
  }

  private Tree<Tensor> run(Tree<Tensor> inputs, Function<Tree<Expr>, Tree<Expr>> f) {
    Program program = Program.trace(inputs.map(Tensor::type), f);
    try (Plan plan = device.compile(program)) {
      return plan.run(scope, inputs);
    }
  }

  /** The trainer's first batch, x [B,H,W,C] and y. */
  private Tree<Tensor> firstBatch() {
    Tensor which = scope.tensor(Type.i32(BATCH));
    Tensor y = scope.tensor(Type.i32(BATCH));
    new BatchSampler(set, ORDER).fill(0, which, y);
    Tensor x = scope.tensor(Type.f32(BATCH, 12, 12, 1));
    for (int i = 0; i < BATCH; i++) {
      for (int p = 0; p < 144; p++) {
        int at = (int) which.get(i);
        int value = set.image(at).get(ValueLayout.JAVA_BYTE, p) & 0xFF;
        x.set(i * 144L + p, value / 255f);
      }
    }
    return Tree.of("x", x, "y", y);
  }

  private TrainingStep trainer(Lesson lesson, Optimizer optimizer) {
    return lesson.compile(device, set, BATCH, weights, theirs, optimizer, ORDER, RANDOM);
  }

  @Test
  void imagesOfAnySizeAreDecodedEachOnItsOwn() {
    Generator odd = new Generator(Shape.of(7, 9, 3), 3);
    Tree<Tensor> w = Weight.init(odd.weights(), scope, Key.of(4));
    Tensor x = scope.tensor(Type.f32(2, 7, 9, 3));
    for (int i = 0; i < x.size(); i++) {
      x.set(i, RANDOM.uniform(i));
    }
    Tree<Tensor> inputs = Tree.of("x", x).with("w", w);
    Tensor both = run(inputs, in -> Tree.of("y", odd.signs(in.sub("w"), in.get("x")))).get("y");
    Tensor second =
        run(inputs, in -> Tree.of("y", odd.signs(in.sub("w"), in.get("x").slice(0, 1, 2))))
            .get("y");
    assertThat(both.shape()).isEqualTo(Shape.of(2, 7, 9, 3));
    for (int i = 0; i < second.size(); i++) {
      assertThat(both.get(second.size() + i)).isCloseTo(second.get(i), within(1e-5));
    }
    // Every pixel is seen by the answers of its whole neighbourhood.
    Tensor reach =
        run(
                inputs,
                in ->
                    Tree.of(
                        "g",
                        Grad.grad(
                            a -> odd.signs(in.sub("w"), a).slice(1, 3, 4).slice(2, 4, 5).sum(),
                            in.get("x"))))
            .get("g");
    int seen = 0;
    for (int i = 0; i < 7 * 9 * 3; i++) {
      seen += reach.get(i) != 0 ? 1 : 0;
    }
    assertThat(seen).isGreaterThan(150);
  }

  /**
   * The loss of imitation: minus the log of the sigmoid of sign times logit, where pixels moved.
   */
  @Test
  void imitationIsTheLikelihoodOfTheSignsOfWhatMoved() {
    MiFgsm attack = new MiFgsm(new Linf(EPS), 3);
    Imitation lesson = new Imitation(generator, surrogates, attack, EPS);
    Tree<Tensor> batch = firstBatch();
    Tree<Tensor> out =
        run(
            batch.with("w", weights).with("s", theirs),
            in ->
                Tree.of(
                    "adv",
                    attack.perturb(
                        a -> surrogates.crossEntropy(in.sub("s"), a, in.get("y")),
                        in.get("x"),
                        Expr.data(Type.i32(2), 0, 0)),
                    "logits",
                    generator.signs(in.sub("w"), in.get("x"))));
    double loss = 0;
    double alike = 0;
    double moved = 0;
    for (int i = 0; i < batch.get("x").size(); i++) {
      double change = Math.signum(out.get("adv").get(i) - batch.get("x").get(i));
      double z = change * out.get("logits").get(i);
      if (change != 0) {
        loss += Math.log1p(Math.exp(-z));
        alike += z > 0 ? 1 : 0;
        moved++;
      }
    }
    assertThat(moved).as("black pixels stay").isLessThan(BATCH * 144).isGreaterThan(50);
    try (TrainingStep trainer = trainer(lesson, Optimizers.adam(0.003))) {
      trainer.run();
      assertThat(trainer.metrics().get("loss").get(0)).isCloseTo(loss / BATCH / 144, within(1e-4));
      assertThat(trainer.metrics().get("alike").get(0)).isCloseTo(alike / moved, within(1e-5));
      double first = trainer.metrics().get("loss").get(0);
      while (trainer.number() < 200) {
        trainer.run();
      }
      assertThat(trainer.metrics().get("loss").get(0)).isLessThan(0.6 * first);
      assertThat(trainer.metrics().get("alike").get(0)).isGreaterThan(0.85);
    }
  }

  /** One outer step against Adam in plain loops on every image alone. */
  @Test
  void adaptationMovesTowardsTheMeanOfTheCopies() {
    double rate = 0.01;
    Adaptation lesson = new Adaptation(generator, surrogates, EPS, 5, 2, rate);
    Tree<Tensor> batch = firstBatch();
    Map<String, Tensor> start = weights.paths();
    Map<String, double[]> mean = new LinkedHashMap<>();
    start.forEach((path, t) -> mean.put(path, new double[(int) t.size()]));
    for (int b = 0; b < BATCH; b++) {
      Tree<Tensor> copy = scope.copies(weights);
      Map<String, double[]> m = new HashMap<>();
      Map<String, double[]> v = new HashMap<>();
      for (int k = 1; k <= 2; k++) {
        Map<String, Tensor> slope = slope(copy, batch, b).paths();
        for (var leaf : copy.paths().entrySet()) {
          Tensor w = leaf.getValue();
          double[] first = m.computeIfAbsent(leaf.getKey(), p -> new double[(int) w.size()]);
          double[] second = v.computeIfAbsent(leaf.getKey(), p -> new double[(int) w.size()]);
          for (int i = 0; i < w.size(); i++) {
            double g = slope.get(leaf.getKey()).get(i);
            first[i] = 0.9 * first[i] + 0.1 * g;
            second[i] = 0.999 * second[i] + 0.001 * g * g;
            double up = first[i] / (1 - Math.pow(0.9, k));
            double down = Math.sqrt(second[i] / (1 - Math.pow(0.999, k))) + 1e-8;
            w.set(i, w.get(i) - rate * up / down);
          }
        }
      }
      copy.paths()
          .forEach((path, w) -> {
            for (int i = 0; i < w.size(); i++) {
              mean.get(path)[i] += w.get(i) / BATCH;
            }
          });
    }
    int far = 0;
    long all = 0;
    try (TrainingStep trainer = trainer(lesson, Optimizers.sgd(0.5))) {
      trainer.run();
      for (var leaf : trainer.weights().paths().entrySet()) {
        Tensor w = leaf.getValue();
        for (int i = 0; i < w.size(); i++) {
          double was = start.get(leaf.getKey()).get(i);
          double expected = was + 0.5 * (mean.get(leaf.getKey())[i] - was);
          // Where a gradient is nearly 0, Adam makes much of its rounding.
          far += Math.abs(w.get(i) - expected) > 1e-4 ? 1 : 0;
          all++;
        }
      }
      assertThat(far / (double) all).isLessThan(0.01);
    }
  }

  /** The slope of the bounded lead on image b, its terms in plain arithmetic of the definition. */
  private Tree<Tensor> slope(Tree<Tensor> copy, Tree<Tensor> batch, int b) {
    return run(
        batch.with("w", copy).with("s", theirs),
        in ->
            Grad.grad(
                w -> {
                  Expr x = in.get("x").slice(0, b, b + 1);
                  Expr adv = x.add(generator.signs(w, x).tanh().mul(EPS)).clamp(0, 1);
                  Expr y = in.get("y").slice(0, b, b + 1);
                  Expr total = Expr.scalar(0);
                  for (int s = 0; s < 2; s++) {
                    Expr z = surrogates.models().get(s).logits(in.sub("s/s" + s), adv);
                    Expr is = y.oneHot(set.classCount()).cast(z.dtype());
                    Expr own = z.mul(is).sum();
                    Expr best = z.sub(is.mul(1e6)).maxOver(1).sum();
                    total = total.add(own.sub(best).max(-5)); // relu(lead + 5) - 5
                  }
                  return total.div(2);
                },
                in.sub("w")));
  }

  /** What meta-training is for: after it, few steps on an image go further. */
  @Test
  void adaptationIsQuickerAfterMetaTraining() {
    Adaptation lesson = new Adaptation(generator, surrogates, 0.3, 5, 3, 3e-3);
    try (TrainingStep trainer = trainer(lesson, Optimizers.sgd(1))) {
      double early = meanLoss(trainer, 10);
      meanLoss(trainer, 60);
      assertThat(meanLoss(trainer, 10)).isLessThan(early - 0.3);
    }
  }

  private static double meanLoss(TrainingStep trainer, int steps) {
    double sum = 0;
    for (int k = 0; k < steps; k++) {
      trainer.run();
      sum += trainer.metrics().get("loss").get(0);
    }
    return sum / steps;
  }

  @Test
  void aRestoredTrainerGoesOnToTheSameBits() {
    Adaptation lesson = new Adaptation(generator, surrogates, EPS, 5, 1, 1e-3);
    try (TrainingStep whole = trainer(lesson, Optimizers.adam(1e-3));
        TrainingStep second = trainer(lesson, Optimizers.adam(1e-3))) {
      whole.run();
      whole.run();
      Tree<Tensor> state = scope.copies(whole.state());
      whole.run();
      second.restore(state);
      assertThat(second.number()).isEqualTo(2);
      second.run();
      whole
          .weights()
          .zip(second.weights(), (a, b) -> assertThat(a.toFloats()).containsExactly(b.toFloats()));
    }
  }

  /** Both lessons and a proposal on a card that is the processor. */
  @Test
  void aCardTeachesAndProposesTheSame() {
    Lesson imitation = new Imitation(generator, surrogates, new MiFgsm(new Linf(EPS), 2), EPS);
    Lesson adaptation = new Adaptation(generator, surrogates, EPS, 5, 2, 1e-3);
    try (Device card = FakeCard.open()) {
      for (Lesson lesson : List.of(imitation, adaptation)) {
        double[] expected = losses(device, lesson);
        double[] found = losses(card, lesson);
        for (int k = 0; k < expected.length; k++) {
          assertThat(found[k]).isCloseTo(expected[k], within(1e-3));
        }
      }
      float[] expected = proposal(device, (Adaptation) adaptation);
      float[] found = proposal(card, (Adaptation) adaptation);
      int other = 0;
      for (int i = 0; i < expected.length; i++) {
        other += Math.abs(found[i] - expected[i]) > 1e-5 ? 1 : 0; // a logit of nearly 0
      }
      assertThat(other).isLessThan(expected.length / 50);
    }
  }

  private double[] losses(Device on, Lesson lesson) {
    double[] losses = new double[2];
    try (TrainingStep step =
        lesson.compile(on, set, BATCH, weights, theirs, Optimizers.sgd(0.5), ORDER, RANDOM)) {
      for (int k = 0; k < losses.length; k++) {
        step.run();
        losses[k] = step.metrics().get("loss").get(0);
      }
    }
    return losses;
  }

  private float[] proposal(Device on, Adaptation adaptation) {
    Proposal proposal = new Proposal.Generated(adaptation, 0.2);
    float[][] one = {firstBatch().get("x").toFloats()};
    one[0] = Arrays.copyOf(one[0], 144);
    try (SurrogateGuide guide =
        new SurrogateGuide(
            on,
            surrogates,
            theirs,
            proposal,
            weights,
            SurrogateGuide.Feedback.none(),
            2,
            Key.of(5))) {
      return guide.propose(one, new int[] {0}, 0, new Key[] {Key.of(6)})[0];
    }
  }

  @Test
  void whatDoesNotFitIsRefused() {
    assertThatThrownBy(() -> new Generator(Shape.of(3, 9, 1), 4))
        .isInstanceOf(ShapeException.class)
        .hasMessageContaining("at least 4x4 pixels");
    assertThatThrownBy(
            () -> new Surrogates(List.of(Models.named("conv4-strided-4", Shape.of(28, 28, 1), 3))))
        .hasMessageContaining("a surrogate has no batch norms, unlike conv4-strided-4");
    assertThatThrownBy(() ->
            new Surrogates(
                List.of(Models.named("linear", image, 3), Models.named("linear", image, 4))))
        .isInstanceOf(ShapeException.class);
    Generator other = new Generator(Shape.of(14, 14, 1), 4);
    Lesson lesson = new Adaptation(other, surrogates, EPS, 5, 1, 1e-3);
    assertThatThrownBy(() -> trainer(lesson, Optimizers.sgd(1)))
        .hasMessageContaining("generator, surrogates and images do not fit");
    assertThatThrownBy(() -> new Adaptation(generator, surrogates, 2, 5, 1, 1e-3))
        .hasMessageContaining("2");
  }
}
