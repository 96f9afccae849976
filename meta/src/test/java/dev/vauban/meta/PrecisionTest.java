package dev.vauban.meta;

import static dev.vauban.nn.Layers.averagePool;
import static dev.vauban.nn.Layers.batchNorm;
import static dev.vauban.nn.Layers.block;
import static dev.vauban.nn.Layers.conv;
import static dev.vauban.nn.Layers.flatten;
import static dev.vauban.nn.Layers.linear;
import static dev.vauban.nn.Layers.sequential;
import static dev.vauban.nn.Layers.tanh;
import static org.assertj.core.api.Assertions.assertThat;

import dev.vauban.adversarial.Fgsm;
import dev.vauban.adversarial.Linf;
import dev.vauban.nn.Batch;
import dev.vauban.nn.Conv4;
import dev.vauban.nn.Layer;
import dev.vauban.nn.Losses;
import dev.vauban.nn.Model;
import dev.vauban.nn.Optimizers;
import dev.vauban.nn.Weight;
import dev.vauban.tensor.DType;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Grad;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Precision;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.Window;
import dev.vauban.tensor.backend.reference.Reference;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;

/**
 * Meta-gradients and attacks in bf16 on the CPU against the double reference of the F32 program.
 */
class PrecisionTest {
  /**
   * Largest relative error of a second-order meta-gradient of a smooth network, 3 inner steps.
   * Measured on these seeds: 0.0056 to 0.0066; with sums in bf16 0.016 to 0.020.
   */
  private static final double SMOOTH = 0.01;

  /**
   * The same with ReLU and maximum pooling, on noise. Measured: 0.15 to 0.29 on these seeds, up to
   * 0.53 on others with more filters and steps. Rounding to 8 bits decides which of two nearly
   * equal pixels is the larger, or on which side of 0 one is, and each such decision moves the
   * gradient by a finite amount: it is the gradient of the same loss in another of the regions
   * where the network is smooth.
   */
  private static final double KINKED = 0.75;

  private static final Shape IMAGE = Shape.of(16, 16, 1);
  private static final int WAYS = 5;
  private static final List<Integer> SEEDS = List.of(0, 1, 2, 3);

  private static Model smooth(IntFunction<Layer> conv) {
    Layer[] layers = new Layer[4];
    for (int i = 0; i < 3; i++) {
      layers[i] = block("block", conv.apply(16), batchNorm(), tanh(), averagePool(2));
    }
    layers[3] = flatten();
    return new Model("smooth", IMAGE, sequential(layers), linear(WAYS));
  }

  private static Layer exact(int filters) {
    return conv(filters, 3, 1, 1);
  }

  private static Expr rounded(Expr x) {
    return x.cast(DType.BF16).cast(DType.F32);
  }

  /** A convolution in bf16 whose sum over the taps, four channels at a time, is in bf16 too. */
  private record BrokenSum(Layer exact) implements Layer {
    private static final int CHANNELS = 4;

    @Override
    public String kind() {
      return exact.kind();
    }

    @Override
    public Shape output(Shape in) {
      return exact.output(in);
    }

    @Override
    public Tree<Weight> weights(Shape in) {
      return exact.weights(in);
    }

    @Override
    public Expr apply(Tree<Expr> w, Expr x) {
      Shape image = x.shape();
      Shape kernel = w.get("w").shape();
      int[] one = {0, 1, 1, 0};
      int[] steps = {1, 1, 1, 1};
      Expr padded = rounded(x).pad(one, one, new int[4]);
      Expr taps = rounded(w.get("w"));
      Expr sum = null;
      for (int r = 0; r < 3; r++) {
        for (int s = 0; s < 3; s++) {
          for (int c = 0; c < kernel.dim(2); c += CHANNELS) {
            int end = Math.min(c + CHANNELS, kernel.dim(2));
            int[] seen = {image.dim(0), r + image.dim(1), s + image.dim(2), end};
            Expr part = padded.slice(new int[] {0, r, s, c}, seen, steps);
            int[] tap = {r + 1, s + 1, end, kernel.dim(3)};
            Expr y =
                part.convolve(taps.slice(new int[] {r, s, c, 0}, tap, steps), Window.of(1, 0), 1);
            sum = rounded(sum == null ? y : sum.add(y));
          }
        }
      }
      return sum.add(w.get("b"));
    }
  }

  private static Tree<Type> types(Model model) {
    return Tree.<Type>empty()
        .with("w", model.types())
        .with("support", Tree.of("x", Type.f32(5, 16, 16, 1), "y", Type.i32(5)))
        .with("query", Tree.of("x", Type.f32(5, 16, 16, 1), "y", Type.i32(5)))
        .with("key", Type.i32(2));
  }

  private static Program metaGradient(Model model) {
    MetaLearners.Options options =
        MetaLearners.Options.usual(0.01, 0.1).withSteps(3); // second order
    MetaLearner maml = MetaLearners.named("maml", model::logits, options).training();
    return Program.trace(
        types(model), in -> Grad.grad(w -> maml.taskLoss(w, Task.of(in)), in.sub("w")));
  }

  private static Tree<Tensor> inputs(Scope scope, Model model, long seed) {
    Tree<Tensor> in = scope.tensors(types(model));
    Tree<Tensor> start = model.init(scope, Key.of(seed));
    in.sub("w").mapPaths((path, t) -> t.copyFrom(start.get(path)));
    for (String part : List.of("support", "query")) {
      Key pixels = Key.of(100 + seed).fold(part.length());
      Tensor x = in.get(part + "/x");
      Tensor y = in.get(part + "/y");
      for (long i = 0; i < x.size(); i++) {
        x.set(i, pixels.uniform(i));
      }
      for (long i = 0; i < y.size(); i++) {
        y.set(i, i % WAYS);
      }
    }
    return in;
  }

  private static double[] joined(List<double[]> arrays) {
    return arrays.stream().flatMapToDouble(Arrays::stream).toArray();
  }

  private static double[] reference(Program p, Tree<Tensor> in) {
    List<double[]> arrays = in.leaves().stream().map(Tensor::toDoubles).toList();
    return joined(Reference.evaluate(p.graph(), arrays));
  }

  /** With the operands of all large products rounded, whatever suits this processor. */
  private static double[] onCpu(Program p, Tree<Tensor> in, Precision precision) {
    try (Device cpu = Device.open("cpu:1");
        Scope scope = Scope.open();
        Plan plan = cpu.compile(p.in(precision))) {
      return joined(plan.run(scope, in).leaves().stream().map(Tensor::toDoubles).toList());
    }
  }

  /** Length of the difference over the length of what is right. */
  private static double error(double[] actual, double[] expected) {
    double difference = 0;
    double length = 0;
    for (int i = 0; i < expected.length; i++) {
      difference += Math.pow(actual[i] - expected[i], 2);
      length += Math.pow(expected[i], 2);
    }
    return Math.sqrt(difference / length);
  }

  private static List<Double> errors(Model model) {
    Program p = metaGradient(model);
    List<Double> errors = new ArrayList<>();
    for (int seed : SEEDS) {
      try (Scope scope = Scope.open()) {
        Tree<Tensor> in = inputs(scope, model, seed);
        errors.add(error(onCpu(p, in, Precision.BF16), reference(p, in)));
      }
    }
    return errors;
  }

  @Test
  void metaGradientsOfASmoothNetworkAreExactToOnePercent() {
    assertThat(errors(smooth(PrecisionTest::exact)))
        .allSatisfy(e -> assertThat(e).isBetween(1e-4, SMOOTH));
  }

  @Test
  void thoseOfConv4AreWithinTheStatedError() {
    assertThat(errors(Conv4.maxPooled(IMAGE, 16, WAYS)))
        .allSatisfy(e -> assertThat(e).isBetween(1e-4, KINKED));
  }

  /** Of 144 terms only every fourth partial sum is rounded here. */
  @Test
  void sumsInBf16WouldNotBe() {
    Model right = smooth(PrecisionTest::exact);
    Model broken = smooth(filters -> new BrokenSum(exact(filters)));
    for (int seed : SEEDS) {
      try (Scope scope = Scope.open()) {
        Tree<Tensor> in = inputs(scope, right, seed);
        double[] expected = reference(metaGradient(right), in);
        double[] rounded = reference(metaGradient(broken), in);
        assertThat(error(rounded, expected)).as("seed %d", seed).isGreaterThan(SMOOTH);
      }
    }
  }

  /** Each pixel moves by exactly the radius, and nearly always to the side it should. */
  @Test
  void anAttackOnSignsOfBf16GradientsGoesTheSameWay() {
    Model model = Conv4.maxPooled(IMAGE, 16, WAYS);
    double eps = 0.03125;
    Program attack =
        Program.trace(
            types(model),
            in -> {
              Batch<Expr> query = Batch.of(in.sub("query"));
              Expr moved =
                  new Fgsm(new Linf(eps))
                      .perturb(
                          x -> Losses.crossEntropy(model.logits(in.sub("w"), x), query.y()).mean(),
                          query.x(),
                          in.get("key"));
              return Tree.leaf(moved.sub(query.x()));
            });
    try (Scope scope = Scope.open()) {
      Tree<Tensor> in = inputs(scope, model, 1);
      Tensor x = in.get("query/x");
      for (long i = 0; i < x.size(); i++) {
        x.set(i, 0.25 + x.get(i) / 2); // the limits 0 and 1 stay away
      }
      double[] expected = reference(attack, in);
      double[] actual = onCpu(attack, in, Precision.BF16);
      int same = 0;
      for (int i = 0; i < expected.length; i++) {
        assertThat(Math.abs(actual[i])).isBetween(eps - 1e-6, eps + 1e-6);
        same += Math.signum(actual[i]) == Math.signum(expected[i]) ? 1 : 0;
      }
      assertThat(same / (double) expected.length).isGreaterThan(0.85);
    }
  }

  private static List<double[]> trained(int workers, Precision precision) {
    try (Tiny tiny = new Tiny(16);
        Device device = Device.open("cpu:" + workers).in(precision);
        MetaTrainer trainer =
            MetaTrainer.compile(
                device,
                tiny.method("rmaml-out"),
                tiny.model,
                tiny.train,
                3,
                tiny.weights,
                Optimizers.adam(0.01),
                Key.of(3))) {
      for (int i = 0; i < 3; i++) {
        trainer.step();
      }
      return trainer.weights().map(Tensor::toDoubles).leaves();
    }
  }

  @Test
  void bitsDoNotDependOnTheNumberOfWorkers() {
    List<double[]> one = trained(1, Precision.BF16);
    assertThat(trained(2, Precision.BF16)).usingRecursiveComparison().isEqualTo(one);
    assertThat(one.getFirst()).doesNotContain(Double.NaN);
    assertThat(one.getFirst()).isNotEqualTo(trained(2, Precision.F32).getFirst());
  }
}
