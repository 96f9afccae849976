package dev.vauban.meta.tuning;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.vauban.nn.LearnedOptimizer;
import dev.vauban.nn.LearnedOptimizer.Input;
import dev.vauban.nn.Optimizers;
import dev.vauban.nn.Tuner;
import dev.vauban.nn.Weight;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class MetaGradientGapTest {
  private static final Tuner LSTM = Tuner.learned(new LearnedOptimizer(6, Input.LOG_AND_SIGN, 0.1));
  private final Device device = Device.open("cpu:1");
  private final Scope scope = Scope.open();

  @AfterEach
  void close() {
    scope.close();
    device.close();
  }

  private MetaGradientGap gap(int examples, double noise) {
    Tree<Tensor> weights = Weight.init(LSTM.weights(), scope, Key.of(3));
    return MetaGradientGap.measure(
        device,
        LSTM,
        new Means(examples, noise),
        0,
        64,
        Unroll.of(3, 1),
        Gradients.exact(),
        weights,
        Key.of(4));
  }

  private static double mean(double[] values) {
    return Arrays.stream(values).average().orElseThrow();
  }

  @Test
  void itFallsAsTheSquareRootOfTheExamples() {
    MetaGradientGap few = gap(4, 1);
    MetaGradientGap more = gap(16, 1);
    MetaGradientGap many = gap(64, 1);
    assertThat(mean(few.relative()) / mean(more.relative())).isBetween(1.7, 2.3);
    assertThat(mean(more.relative()) / mean(many.relative())).isBetween(1.7, 2.3);
    assertThat(mean(few.cosine())).isLessThan(mean(more.cosine()));
    assertThat(mean(more.cosine())).isLessThan(mean(many.cosine()));
    // A meta-step averages over its tasks, and with them the error.
    assertThat(few.meanRelative()).isLessThan(0.5 * mean(few.relative()));
    assertThat(few.meanCosine()).isGreaterThan(mean(few.cosine()));
  }

  @Test
  void itIsNothingWhereUnseenDataAreNoOthers() {
    MetaGradientGap none = gap(4, 0);
    assertThat(none.relative()).containsOnly(0.0).hasSize(64);
    assertThat(Arrays.stream(none.cosine()))
        .allSatisfy(c -> assertThat(c).isCloseTo(1, within(1e-6)));
    assertThat(none.meanRelative()).isZero();
  }

  @Test
  void aTunerWithoutWeightsHasNoMetaGradient() {
    assertThatThrownBy(() ->
            MetaGradientGap.measure(
                device,
                Tuner.of(Optimizers.sgd(1)),
                new Means(4, 1),
                0,
                2,
                Unroll.of(1, 1),
                Gradients.exact(),
                Tree.empty(),
                Key.of(1)))
        .hasMessageContaining("a tuner with weights");
  }

  /** The mean over examples x of |v - x|^2, examples spread by {@code noise} around (2, ..., 2). */
  private record Means(int examples, double noise) implements Problems {
    private static final int SIZE = 5;

    @Override
    public String name() {
      return "means";
    }

    @Override
    public Tree<Type> own() {
      return Tree.of("tuned_on", Type.f32(examples, SIZE), "unseen", Type.f32(examples, SIZE));
    }

    @Override
    public void fill(long first, Tree<Tensor> problems) {
      problems
          .paths()
          .forEach((part, x) -> {
            Key key = Key.of(part.hashCode()).fold(first);
            for (long i = 0; i < x.shape().size(); i++) {
              x.set(i, 2 + noise * key.normal(i));
            }
          });
    }

    @Override
    public Tree<Type> variables() {
      return Tree.of("v", Type.f32(SIZE));
    }

    @Override
    public Expr loss(Tree<Expr> variables, Part part, Tree<Expr> shared, Tree<Expr> own) {
      Expr x = own.get(part == Part.UNSEEN ? "unseen" : "tuned_on");
      return x.sub(variables.get("v")).square().mean();
    }

    @Override
    public int queries() {
      return examples;
    }
  }
}
