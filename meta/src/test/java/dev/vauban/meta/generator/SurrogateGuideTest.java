package dev.vauban.meta.generator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.vauban.adversarial.Linf;
import dev.vauban.adversarial.MiFgsm;
import dev.vauban.adversarial.blackbox.Answers;
import dev.vauban.adversarial.blackbox.Campaign;
import dev.vauban.adversarial.blackbox.GuidedCampaign;
import dev.vauban.adversarial.blackbox.Limits;
import dev.vauban.adversarial.blackbox.MeteredOracle;
import dev.vauban.adversarial.blackbox.ModelOracle;
import dev.vauban.adversarial.blackbox.QueryResult;
import dev.vauban.adversarial.blackbox.Square;
import dev.vauban.adversarial.blackbox.Threat;
import dev.vauban.nn.Losses;
import dev.vauban.nn.Model;
import dev.vauban.nn.Models;
import dev.vauban.nn.Weight;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.ShapeException;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A model under attack and a surrogate whose weights are the model's, with noise. */
class SurrogateGuideTest {
  private static final Shape IMAGE = Shape.of(8, 8, 1);
  private static final double EPS = 0.05;
  private static final int N = 30;
  private final Device device = Device.open("cpu:1");
  private final Scope scope = Scope.open();
  private final Model model = Models.named("mlp-16", IMAGE, 4);
  private final Surrogates surrogates = new Surrogates(List.of(model));
  private final Tree<Tensor> truth = sharp(model.init(scope, Key.of(1)));
  private final Tree<Tensor> near = noisy(truth, 0.5);
  private final ModelOracle oracle = new ModelOracle(device, IMAGE, 4, truth, model::logits, 64);
  private final Proposal transfer =
      new Proposal.Transfer(surrogates, new MiFgsm(new Linf(EPS), 10));
  private final float[][] images = images();
  private final int[] labels = oracle.ask(images).labels();

  @AfterEach
  void close() {
    oracle.close();
    scope.close();
    device.close();
  }

  /** Weights of clear answers. */
  private Tree<Tensor> sharp(Tree<Tensor> weights) {
    weights.forEach(t -> {
      for (int i = 0; i < t.size(); i++) {
        t.set(i, 3 * t.get(i));
      }
    });
    return weights;
  }

  private Tree<Tensor> noisy(Tree<Tensor> weights, double share) {
    Key key = Key.of(77);
    return weights.map(t -> {
      Tensor copy = scope.tensor(t.type());
      double size = 0;
      for (int i = 0; i < t.size(); i++) {
        size += t.get(i) * t.get(i) / t.size();
      }
      for (int i = 0; i < t.size(); i++) {
        copy.set(i, t.get(i) + share * Math.sqrt(size) * key.normal(i));
      }
      return copy;
    });
  }

  private static float[][] images() {
    float[][] images = new float[N][64];
    for (int i = 0; i < N; i++) {
      for (int p = 0; p < 64; p++) {
        images[i][p] = (float) Key.of(1000 + i).uniform(p);
      }
    }
    return images;
  }

  private SurrogateGuide guide(Proposal proposal, SurrogateGuide.Feedback feedback) {
    Tree<Tensor> own = scope.tensors(proposal.weights());
    if (proposal instanceof Proposal.Generated g) {
      own = Weight.init(g.adaptation().generator().weights(), scope, Key.of(6));
    }
    return new SurrogateGuide(
        device,
        surrogates,
        Tree.<Tensor>empty().with("s0", near),
        proposal,
        own,
        feedback,
        8,
        Key.of(5));
  }

  private QueryResult attack(Proposal proposal, SurrogateGuide.Feedback feedback) {
    Campaign square = new Campaign(new Square(), Threat.linf(EPS), 400);
    try (SurrogateGuide guide = guide(proposal, feedback)) {
      return new GuidedCampaign(guide, 1, square)
          .run(new MeteredOracle(oracle, Limits.NONE), images, labels, Key.of(2), (d, s) -> {});
    }
  }

  private static Key[] keys(int count) {
    Key[] keys = new Key[count];
    for (int i = 0; i < count; i++) {
      keys[i] = Key.of(40 + i);
    }
    return keys;
  }

  @Test
  void aGuideWithASurrogateSavesQueries() {
    QueryResult alone =
        new Campaign(new Square(), Threat.linf(EPS), 400).run(oracle, images, labels, Key.of(2));
    QueryResult guided = attack(transfer, SurrogateGuide.Feedback.none());
    assertThat(alone.successCount()).isGreaterThan(5);
    assertThat(guided.attack()).isEqualTo("transfer+square");
    assertThat(guided.successCount()).isGreaterThanOrEqualTo(alone.successCount());
    assertThat(guided.successRate(1)).isGreaterThan(alone.successRate(1) + 0.2);
    assertThat(guided.meanQueriesWithFailures()).isLessThan(alone.meanQueriesWithFailures());
    QueryResult again = attack(transfer, SurrogateGuide.Feedback.none());
    assertThat(again).usingRecursiveComparison().isEqualTo(guided);
  }

  /** Transfer candidates are the attack's own on the surrogate, whoever else is in the group. */
  @Test
  void transferCandidatesAreTheAttackOnTheSurrogate() {
    float[][] three = {images[0], images[1], images[2]};
    int[] of = {labels[0], labels[1], labels[2]};
    try (SurrogateGuide guide = guide(transfer, SurrogateGuide.Feedback.none())) {
      float[][] found = guide.propose(three, of, 0, keys(3));
      Tensor x = scope.tensor(Type.f32(1, 8, 8, 1));
      Tensor y = scope.tensor(Type.i32(1));
      History.write(x, 0, images[1]);
      y.set(0, labels[1]);
      Tree<Tensor> in = Tree.of("x", x, "y", y).with("w", near);
      Program program =
          Program.trace(
              in.map(Tensor::type),
              t ->
                  Tree.of(
                      "adv",
                      new MiFgsm(new Linf(EPS), 10)
                          .perturb(
                              a -> Losses.crossEntropy(model.logits(t.sub("w"), a), t.get("y")),
                              t.get("x"),
                              Expr.data(Type.i32(2), 0, 0))));
      try (Plan plan = device.compile(program)) {
        float[] expected = plan.run(scope, in).get("adv").toFloats();
        for (int p = 0; p < 64; p++) {
          assertThat(found[1][p]).isCloseTo(expected[p], within(1e-5f));
        }
      }
    }
  }

  @Test
  void answersTeachTheSurrogateWhatTheModelSays() {
    SurrogateGuide.Feedback learning = new SurrogateGuide.Feedback(1, 0.01, 20, 64);
    try (SurrogateGuide guide = guide(transfer, learning)) {
      double first = 0;
      for (int k = 0; k < 40; k++) {
        guide.learn(images, oracle.ask(images));
        guide.propose(new float[][] {images[0]}, new int[] {labels[0]}, 0, keys(1));
        first = k == 0 ? guide.difference() : first;
      }
      assertThat(guide.difference()).isLessThan(0.1 * first);
    }
    try (SurrogateGuide guide = guide(transfer, SurrogateGuide.Feedback.none())) {
      guide.learn(images, oracle.ask(images));
      guide.propose(new float[][] {images[0]}, new int[] {labels[0]}, 0, keys(1));
      assertThat(guide.difference()).isNaN();
    }
  }

  @Test
  void theGeneratorsFirstCandidateIsItsSignsAndLaterOnesAreDrawn() {
    Generator generator = new Generator(IMAGE, 3);
    Adaptation still = new Adaptation(generator, surrogates, EPS, 5, 1, 1e-12);
    Proposal proposal = new Proposal.Generated(still, 0);
    Tree<Tensor> w = Weight.init(generator.weights(), scope, Key.of(6));
    Tensor x = scope.tensor(Type.f32(1, 8, 8, 1));
    History.write(x, 0, images[3]);
    Tree<Tensor> in = Tree.of("x", x).with("w", w);
    Program program =
        Program.trace(
            in.map(Tensor::type), t -> Tree.of("z", generator.signs(t.sub("w"), t.get("x"))));
    double[] z;
    try (Plan plan = device.compile(program)) {
      z = plan.run(scope, in).get("z").toDoubles();
    }
    int plus = 0;
    double expected = 0;
    try (SurrogateGuide guide = guide(proposal, SurrogateGuide.Feedback.none())) {
      float[] first = one(guide, 0, 40);
      for (int p = 0; p < 64; p++) {
        double moved = Math.clamp(images[3][p] + EPS * Math.signum(z[p]), 0.0, 1.0);
        assertThat((double) first[p]).isCloseTo(moved, within(1e-6));
      }
      assertThat(one(guide, 0, 41)).isEqualTo(first);
      for (int draw = 0; draw < 40; draw++) {
        float[] later = one(guide, 1, 100 + draw);
        for (int p = 0; p < 64; p++) {
          plus += later[p] > images[3][p] ? 1 : 0;
          expected += images[3][p] < 1 ? 1 / (1 + Math.exp(-z[p])) : 0;
        }
      }
    }
    assertThat(plus / (40 * 64.0)).isCloseTo(expected / (40 * 64.0), within(0.03));
  }

  private float[] one(SurrogateGuide guide, int round, long seed) {
    return guide
        .propose(new float[][] {images[3]}, new int[] {labels[3]}, round, new Key[] {Key.of(seed)})[
        0];
  }

  /** Fine-tuning on each image helps, and what is carried on helps the next images. */
  @Test
  void aGeneratorThatLearnsFromImageToImageFoolsMore() {
    Adaptation tuned = new Adaptation(new Generator(IMAGE, 3), surrogates, EPS, 5, 8, 0.01);
    double untaught = attack(still(), SurrogateGuide.Feedback.none()).successRate(1);
    double alone =
        attack(new Proposal.Generated(tuned, 0), SurrogateGuide.Feedback.none()).successRate(1);
    double carried =
        attack(new Proposal.Generated(tuned, 1), SurrogateGuide.Feedback.none()).successRate(1);
    assertThat(alone).isGreaterThan(untaught);
    assertThat(carried).isGreaterThan(alone);
  }

  private Proposal still() {
    return new Proposal.Generated(
        new Adaptation(new Generator(IMAGE, 3), surrogates, EPS, 5, 1, 1e-12), 0);
  }

  @Test
  void scoresAreProbabilitiesOrLogits() {
    assertThat(History.probabilities(new double[] {0.2, 0.8})).containsExactly(0.2f, 0.8f);
    float[] p = History.probabilities(new double[] {0, Math.log(3)});
    assertThat(p[1]).isCloseTo(0.75f, within(1e-6f));
    assertThat(History.probabilities(new double[] {1000, 0})).containsExactly(1f, 0f);
    History history = new History(2);
    for (int i = 0; i < 3; i++) {
      history.add(
          new float[][] {{i}}, Answers.ofScores(new double[][] {{i == 0 ? 1 : 0, i == 0 ? 0 : 1}}));
    }
    Tensor x = scope.tensor(Type.f32(16, 1));
    Tensor probabilities = scope.tensor(Type.f32(16, 2));
    history.fill(Key.of(3), x, probabilities);
    assertThat(x.toFloats()).as("the first is forgotten").containsOnly(1f, 2f);
    assertThat(probabilities.get(1)).isEqualTo(1);
  }

  @Test
  void weightsOfAnotherNetworkAreRefused() {
    assertThatThrownBy(() ->
            new SurrogateGuide(
                device,
                surrogates,
                Tree.<Tensor>empty()
                    .with("s0", scope.tensors(Models.named("linear", IMAGE, 4).types())),
                transfer,
                Tree.empty(),
                SurrogateGuide.Feedback.none(),
                4,
                Key.of(1)))
        .isInstanceOf(ShapeException.class);
  }
}
