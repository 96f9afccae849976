package dev.vauban.meta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.vauban.adversarial.blackbox.Answers;
import dev.vauban.adversarial.blackbox.Campaign;
import dev.vauban.adversarial.blackbox.Oracle;
import dev.vauban.adversarial.blackbox.QueryResult;
import dev.vauban.adversarial.blackbox.Square;
import dev.vauban.adversarial.blackbox.Threat;
import dev.vauban.nn.Batch;
import dev.vauban.nn.data.Episode;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AdaptedVictimTest {
  private static final int STEPS = 3;
  private final Tiny tiny = new Tiny();
  private final Device device = Device.open("cpu");

  @AfterEach
  void close() {
    device.close();
    tiny.close();
  }

  private float[] image(int index) {
    float[] x = new float[144];
    for (int i = 0; i < x.length; i++) {
      x[i] = (tiny.data.test().image(index).get(ValueLayout.JAVA_BYTE, i) & 0xFF) / 255f;
    }
    return x;
  }

  @ParameterizedTest
  @ValueSource(strings = {"maml", "anil", "protonet", "rfs", "meta-sgd"})
  void itJudgesTheSupportImagesAsTheLearnerDoesAndQueriesOneByOne(String name) {
    MetaLearner learner = tiny.method(name).evaluation();
    Episode episode = tiny.test.episode(7);
    try (Scope scope = Scope.open()) {
      Tree<Tensor> theta = learner.init(tiny.weights, scope);
      if (name.equals("protonet") || name.equals("rfs")) {
        theta = Tree.of("body", tiny.weights.sub("body"));
      }
      double[] expected = ofLearner(learner, theta, episode, scope);
      try (Oracle oracle =
          AdaptedVictim.of(device, learner, tiny.model, theta, tiny.test, 7, STEPS, Key.of(4), 8)) {
        // The support images' own statistics are the fixed ones, so here both must agree.
        float[][] support =
            Arrays.stream(episode.support()).mapToObj(this::image).toArray(float[][]::new);
        Answers answers = oracle.ask(support);
        for (int i = 0; i < support.length; i++) {
          for (int c = 0; c < 3; c++) {
            assertThat(answers.scores()[i][c]).isCloseTo(expected[i * 3 + c], within(2e-3));
          }
        }
        float[] query = image(episode.query()[0]);
        double[] alone = oracle.ask(new float[][] {query}).scores()[0];
        double[] amid = oracle.ask(new float[][] {support[0], query, support[2]}).scores()[1];
        for (int c = 0; c < 3; c++) {
          assertThat(amid[c]).isCloseTo(alone[c], within(1e-4));
        }
        QueryResult result =
            new Campaign(new Square(), Threat.linf(0.5), 200)
                .run(oracle, support, episode.supportLabels(), Key.of(1));
        assertThat(result.ended()).isEmpty();
      }
    }
  }

  /** Logits of the support images after adaptation to them, by the learner itself. */
  private double[] ofLearner(
      MetaLearner learner, Tree<Tensor> theta, Episode episode, Scope scope) {
    Program program =
        Program.trace(
            Tree.<Type>empty()
                .with("theta", theta.map(Tensor::type))
                .with("x", Type.f32(3, 12, 12, 1)),
            in -> {
              Expr x = in.get("x");
              Expr y = Expr.data(Type.i32(3), new double[] {0, 1, 2});
              Batch<Expr> support = new Batch<>(x, y, Expr.data(Type.i32(2), new double[] {0, 4}));
              Tree<Expr> fast = learner.start(in.sub("theta"), support);
              for (int k = 0; k < STEPS; k++) {
                fast = learner.step(in.sub("theta"), fast, support);
              }
              return Tree.of("logits", learner.logits(tiny.model, fast, x));
            });
    float[] all = new float[3 * 144];
    for (int i = 0; i < 3; i++) {
      System.arraycopy(image(episode.support()[i]), 0, all, i * 144, 144);
    }
    Tensor x = scope.floats(Shape.of(3, 12, 12, 1), all);
    try (var plan = device.compile(program)) {
      Tree<Tensor> inputs = Tree.<Tensor>empty().with("theta", theta).with("x", x);
      return plan.run(scope, inputs).get("logits").toDoubles();
    }
  }
}
