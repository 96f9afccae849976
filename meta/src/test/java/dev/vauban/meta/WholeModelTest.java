package dev.vauban.meta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.vauban.adversarial.FgsmRs;
import dev.vauban.adversarial.InstanceContrast;
import dev.vauban.adversarial.Linf;
import dev.vauban.nn.Batch;
import dev.vauban.nn.Layers;
import dev.vauban.nn.Loss;
import dev.vauban.nn.Model;
import dev.vauban.nn.augment.Augmentation;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Grad;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.backend.reference.Reference;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Learners that look inside the network, against their formulas in plain loops over {@link
 * PlainNet} (and, for MAML++, a network with a batch norm of its own). Inner gradients and the
 * meta-gradient of the plain loss are central differences.
 */
class WholeModelTest {
  private static final int D = PlainNet.HIDDEN;
  private static final double EPS = 0.12;
  private static final Key TASK = Key.of(31);
  private static final Model NET =
      new Model(
          "plain",
          Shape.of(PlainNet.PIXELS),
          Layers.sequential(Layers.linear(D).withoutBias(), Layers.tanh()),
          Layers.linear(PlainNet.CLASSES).withoutBias());

  /** Darkens and adds a random grey to each image: a view that is easy to write down. */
  private static final Augmentation VIEW =
      (x, key) -> x.mul(0.8).add(key.uniform(Shape.of(x.shape().dim(0), 1)).mul(0.2));

  private static double[][] view(double[][] x, Key key) {
    double[][] y = new double[x.length][PlainNet.PIXELS];
    for (int n = 0; n < x.length; n++) {
      for (int i = 0; i < PlainNet.PIXELS; i++) {
        y[n][i] = 0.8 * x[n][i] + 0.2 * u(key, n);
      }
    }
    return y;
  }

  private static double u(Key key, long i) {
    return (key.bits(i) >>> 40) * 0x1p-24;
  }

  private static PlainNet.Data data(long seed, int n) {
    double[][] x = new double[n][PlainNet.PIXELS];
    int[] y = new int[n];
    for (int k = 0; k < n; k++) {
      for (int i = 0; i < PlainNet.PIXELS; i++) {
        double v = 2 * Key.of(seed).uniform(k * PlainNet.PIXELS + i) - 0.5;
        x[k][i] = (float) Math.max(0, Math.min(1, v));
      }
      y[k] = k % PlainNet.CLASSES;
    }
    return new PlainNet.Data(x, y);
  }

  private static final PlainNet.Data SUPPORT = data(1, 3);
  private static final PlainNet.Data QUERY = data(2, 6);

  private static Batch<Expr> batch(PlainNet.Data data, Key key) {
    int n = data.x().length;
    Expr x =
        Expr.data(
            Type.f32(n, PlainNet.PIXELS),
            Arrays.stream(data.x()).flatMapToDouble(Arrays::stream).toArray());
    Expr y = Expr.data(Type.i32(n), Arrays.stream(data.y()).mapToDouble(i -> i).toArray());
    return new Batch<>(x, y, Expr.data(Type.i32(2), key.k0(), key.k1()));
  }

  private static Task<Expr> task() {
    return new Task<>(batch(SUPPORT, TASK.fold(0)), batch(QUERY, TASK.fold(1)));
  }

  private static double[] theta(int n) {
    double[] w = new double[n];
    for (int i = 0; i < n; i++) {
      w[i] = (float) (0.9 * Key.of(4).normal(i));
    }
    return w;
  }

  /** A function of theta, given flat, by the reference backend. */
  private static double[] library(
      Tree<Type> types, double[] theta, Function<Tree<Expr>, Tree<Expr>> f) {
    Program p = Program.trace(types, f);
    List<double[]> arguments = new ArrayList<>();
    int at = 0;
    for (Type t : p.inputs().leaves()) {
      int size = (int) t.shape().size();
      arguments.add(Arrays.copyOfRange(theta, at, at + size));
      at += size;
    }
    assertThat(at).as("all of theta").isEqualTo(theta.length);
    return Reference.evaluate(p.graph(), arguments).stream()
        .flatMapToDouble(Arrays::stream)
        .toArray();
  }

  private static double[] slopes(ToDoubleFunction<double[]> f, double[] at, double h) {
    double[] g = new double[at.length];
    for (int i = 0; i < at.length; i++) {
      double[] up = at.clone();
      double[] down = at.clone();
      up[i] += h;
      down[i] -= h;
      g[i] = (f.applyAsDouble(up) - f.applyAsDouble(down)) / (2 * h);
    }
    return g;
  }

  private static void compare(double[] actual, double loss, double[] gradient, double tolerance) {
    assertThat(actual).hasSize(1 + gradient.length);
    assertThat(actual[0]).as("loss").isCloseTo(loss, within(1e-7));
    double size = 0;
    for (int i = 0; i < gradient.length; i++) {
      assertThat(actual[1 + i]).as("derivative %d", i).isCloseTo(gradient[i], within(tolerance));
      size = Math.max(size, Math.abs(gradient[i]));
    }
    assertThat(size).as("there is a gradient").isGreaterThan(0.01);
  }

  private static Tree<Expr> lossAndGradient(MetaLearner learner, Tree<Expr> theta) {
    Grad.Result r = Grad.valueAndGrad(w -> learner.taskLoss(w, task()), theta);
    return Tree.of("0", r.value()).with("1", r.gradient());
  }

  private static double[][] features(double[] w, double[][] x) {
    return Arrays.stream(x).map(one -> PlainNet.hidden(w, one)).toArray(double[][]::new);
  }

  private static double crossEntropy(double[] logits, int label) {
    double total = 0;
    for (double z : logits) {
      total += Math.exp(z);
    }
    return Math.log(total) - logits[label];
  }

  @Test
  void prototypicalNetworks() {
    ToDoubleFunction<double[]> plain =
        body -> {
          double[] w = Arrays.copyOf(body, PlainNet.WEIGHTS);
          double[][] s = features(w, SUPPORT.x());
          double[][] q = features(w, QUERY.x());
          double sum = 0;
          for (int n = 0; n < q.length; n++) {
            double[] logits = new double[3];
            for (int c = 0; c < 3; c++) {
              for (int i = 0; i < D; i++) { // one image a class: it is its own prototype
                logits[c] -= (q[n][i] - s[c][i]) * (q[n][i] - s[c][i]);
              }
            }
            sum += crossEntropy(logits, QUERY.y()[n]);
          }
          return sum / q.length;
        };
    double[] body = theta(PlainNet.PIXELS * D);
    MetaLearner learner = new ProtoNet(NET, ProtoNet.loss(NET), 3);
    double[] actual =
        library(Tree.of("body", NET.types().sub("body")), body, w -> lossAndGradient(learner, w));
    compare(actual, plain.applyAsDouble(body), slopes(plain, body, 1e-5), 1e-6);
  }

  /** The fitted head is where the objective's slope, written out, is 0; the bias sums to 0. */
  @ParameterizedTest
  @CsvSource({"3, 1", "12, 1", "60, 1", "60, 4"})
  void theLogisticRegressionIsOptimal(int n, double spread) {
    int ways = 3;
    double[][] z = new double[n][D];
    double[] flat = new double[n * D];
    double[] labels = new double[n];
    for (int k = 0; k < n; k++) {
      labels[k] = k % ways;
      double length = 0;
      for (int i = 0; i < D; i++) {
        z[k][i] = Key.of(9).normal(k * D + i) + (i == k % ways ? spread : 0);
        length += z[k][i] * z[k][i];
      }
      for (int i = 0; i < D; i++) {
        z[k][i] /= Math.sqrt(length);
        flat[k * D + i] = z[k][i];
      }
    }
    Program p =
        Program.trace(
            Tree.of("z", Type.f32(n, D), "y", Type.i32(n)),
            in ->
                new LogisticHead.Regression(in.get("z"), in.get("y"), ways)
                    .solve(LogisticHead.USUAL_ITERATIONS)
                    .sub("now"));
    List<double[]> out = Reference.evaluate(p.graph(), List.of(flat, labels));
    double[] w = out.get(0);
    double[] b = out.get(1);
    double[] slope = w.clone(); // of |W|^2 / 2
    double[] ofB = new double[ways];
    for (int k = 0; k < n; k++) {
      double[] logits = b.clone();
      for (int i = 0; i < D; i++) {
        for (int c = 0; c < ways; c++) {
          logits[c] += z[k][i] * w[i * ways + c];
        }
      }
      double total = Arrays.stream(logits).map(Math::exp).sum();
      for (int c = 0; c < ways; c++) {
        double d = Math.exp(logits[c]) / total - (labels[k] == c ? 1 : 0);
        ofB[c] += d;
        for (int i = 0; i < D; i++) {
          slope[i * ways + c] += d * z[k][i];
        }
      }
    }
    assertThat(most(w)).isGreaterThan(0.1);
    assertThat(most(slope)).as("slope in W").isLessThan(1e-4);
    assertThat(most(ofB)).as("slope in b").isLessThan(1e-4);
    assertThat(Arrays.stream(b).sum()).isCloseTo(0, within(1e-9));
  }

  /** RFS in plain loops: unit features, a logistic regression at its optimum, the queries' loss. */
  @Test
  void aFittedHeadOnUnitFeatures() {
    double[] body = theta(PlainNet.PIXELS * D);
    double[] w = Arrays.copyOf(body, PlainNet.WEIGHTS);
    double[][] support = unit(features(w, SUPPORT.x()));
    double[][] query = unit(features(w, QUERY.x()));
    double[][] head = new double[D + 1][PlainNet.CLASSES]; // the last row is the bias
    double rate = 1.0 / (support.length + 1);
    for (int step = 0; step < 20_000; step++) {
      double[][] slope = new double[D + 1][];
      for (int i = 0; i <= D; i++) {
        slope[i] = i < D ? head[i].clone() : new double[PlainNet.CLASSES]; // of |W|^2 / 2
      }
      for (int n = 0; n < support.length; n++) {
        double[] logits = logits(head, support[n]);
        double total = Arrays.stream(logits).map(Math::exp).sum();
        for (int c = 0; c < PlainNet.CLASSES; c++) {
          double d = Math.exp(logits[c]) / total - (SUPPORT.y()[n] == c ? 1 : 0);
          for (int i = 0; i < D; i++) {
            slope[i][c] += d * support[n][i];
          }
          slope[D][c] += d;
        }
      }
      for (int i = 0; i <= D; i++) {
        for (int c = 0; c < PlainNet.CLASSES; c++) {
          head[i][c] -= rate * slope[i][c];
        }
      }
    }
    double expected = 0;
    for (int n = 0; n < query.length; n++) {
      expected += crossEntropy(logits(head, query[n]), QUERY.y()[n]) / query.length;
    }
    LogisticHead rfs = new LogisticHead(NET, 3, Augmentation.none(), 1, 1000);
    double[] actual =
        library(
            Tree.of("body", NET.types().sub("body")),
            body,
            v ->
                Tree.leaf(
                    LogisticHead.loss(NET).of(rfs.start(v, task().support()), task().query())));
    assertThat(actual[0]).isCloseTo(expected, within(1e-6));
  }

  private static double[][] unit(double[][] z) {
    for (double[] one : z) {
      double length = Math.sqrt(Arrays.stream(one).map(v -> v * v).sum());
      Arrays.setAll(one, i -> one[i] / length);
    }
    return z;
  }

  private static double[] logits(double[][] head, double[] z) {
    double[] logits = head[z.length].clone();
    for (int i = 0; i < z.length; i++) {
      for (int c = 0; c < logits.length; c++) {
        logits[c] += z[i] * head[i][c];
      }
    }
    return logits;
  }

  private static double most(double[] values) {
    return Arrays.stream(values).map(Math::abs).max().orElseThrow();
  }

  /** The unrolled fit carries gradients from the queries' loss back to the embedding. */
  @Test
  void theFitIsDifferentiable() {
    MetaLearner learner = new LogisticHead(NET, 3, Augmentation.none(), 1, 60);
    Tree<Type> types = Tree.of("body", NET.types().sub("body"));
    double[] body = theta(PlainNet.PIXELS * D);
    double[] actual = library(types, body, w -> lossAndGradient(learner, w));
    ToDoubleFunction<double[]> loss =
        b -> library(types, b, w -> Tree.leaf(learner.taskLoss(w, task())))[0];
    compare(actual, loss.applyAsDouble(body), slopes(loss, body, 1e-5), 1e-6);
  }

  /** Copies of the support images reach the fit: with views that differ the head does. */
  @Test
  void copiesOfTheSupportImages() {
    Tree<Type> types = Tree.of("body", NET.types().sub("body"));
    double[] body = theta(PlainNet.PIXELS * D);
    double[][] heads = new double[2][];
    for (int c = 0; c < 2; c++) {
      LogisticHead head = new LogisticHead(NET, 3, VIEW, 1 + 2 * c, 50);
      heads[c] = library(types, body, w -> head.start(w, task().support()).sub("fit"));
    }
    double most = 0;
    for (int i = 0; i < heads[0].length; i++) {
      most = Math.max(most, Math.abs(heads[0][i] - heads[1][i]));
    }
    assertThat(most).isGreaterThan(0.05);
  }

  // MAML++ on softmax(tanh(norm(x a)) b + c).

  private static final Model NORMED =
      new Model(
          "normed",
          Shape.of(PlainNet.PIXELS),
          Layers.sequential(Layers.linear(D).withoutBias(), Layers.batchNorm(), Layers.tanh()),
          Layers.linear(PlainNet.CLASSES));

  /** The cross-entropy in plain loops; w is a, b, c. */
  private static double normedLoss(double[] w, double[] scale, double[] shift, PlainNet.Data data) {
    int n = data.x().length;
    double[][] h = new double[n][D];
    for (int j = 0; j < D; j++) {
      double mean = 0;
      for (int k = 0; k < n; k++) {
        for (int i = 0; i < PlainNet.PIXELS; i++) {
          h[k][j] += data.x()[k][i] * w[i * D + j];
        }
        mean += h[k][j] / n;
      }
      double variance = 0;
      for (int k = 0; k < n; k++) {
        variance += (h[k][j] - mean) * (h[k][j] - mean) / n;
      }
      for (int k = 0; k < n; k++) {
        double unit = (h[k][j] - mean) / Math.sqrt(variance + 1e-5);
        h[k][j] = Math.tanh(scale[j] * unit + shift[j]);
      }
    }
    double sum = 0;
    int head = PlainNet.PIXELS * D;
    for (int k = 0; k < n; k++) {
      double[] logits = new double[3];
      for (int c = 0; c < 3; c++) {
        logits[c] = w[head + 3 * D + c];
        for (int j = 0; j < D; j++) {
          logits[c] += h[k][j] * w[head + j * 3 + c];
        }
      }
      sum += crossEntropy(logits, data.y()[k]);
    }
    return sum / n;
  }

  /**
   * Theta flat: a [4,5], w [5,3], b [3]; three rates [2]; norm scale and shift [2,5].
   *
   * @param frozen the inner steps taken at theta, for first-order; null to compute them
   */
  private static double plusPlus(double[] theta, double[] importance, List<double[]> frozen) {
    int head = PlainNet.PIXELS * D;
    int weights = head + 3 * D + 3;
    double[] w = Arrays.copyOf(theta, weights);
    double total = 0;
    for (int k = 0; k < 2; k++) {
      int norms = weights + 6;
      double[] scale = Arrays.copyOfRange(theta, norms + k * D, norms + k * D + D);
      double[] shift = Arrays.copyOfRange(theta, norms + (2 + k) * D, norms + (3 + k) * D);
      double[] g =
          frozen != null && frozen.size() > k
              ? frozen.get(k)
              : slopes(v -> normedLoss(v, scale, shift, SUPPORT), w, 1e-5);
      double[] next = w.clone();
      for (int i = 0; i < weights; i++) {
        int layer = i < head ? 0 : i < head + 3 * D ? 1 : 2;
        next[i] -= theta[weights + layer * 2 + k] * g[i];
      }
      if (frozen != null && frozen.size() == k) {
        frozen.add(g);
      }
      w = next;
      total += importance[k] * normedLoss(w, scale, shift, QUERY);
    }
    return total;
  }

  private static double[] plusPlusTheta() {
    double[] t = theta(PlainNet.PIXELS * D + 3 * D + 3 + 6 + 4 * D);
    int rates = PlainNet.PIXELS * D + 3 * D + 3;
    for (int i = 0; i < 6; i++) {
      t[rates + i] = (float) (0.2 + 0.1 * i);
    }
    for (int i = 0; i < 2 * D; i++) {
      t[rates + 6 + i] = (float) (0.7 + 0.05 * i);
    }
    return t;
  }

  /** Ten meta-steps an epoch, four epochs annealed, second-order from meta-step 15 on. */
  @ParameterizedTest
  @CsvSource({
    "0, 0.5, 0.5, FIRST",
    "9, 0.5, 0.5, FIRST",
    "10, 0.375, 0.625, FIRST",
    "15, 0.375, 0.625, SECOND",
    "39, 0.125, 0.875, SECOND",
    "40, 0, 1, SECOND",
    "-1, 0, 1, SECOND"
  })
  void mamlPlusPlus(int number, double first, double last, Order order) {
    Loss clean = Loss.crossEntropy(NORMED);
    MamlPlusPlus.Plan plan = new MamlPlusPlus.Plan(10, 4, 15);
    MamlPlusPlus untimed = new MamlPlusPlus(NORMED, clean, clean, 2, 0.1, plan);
    double[] theta = plusPlusTheta();
    Tree<Type> types = untimed.types(NORMED.types());
    assertThat(types.get("rates/head/w")).isEqualTo(Type.f32(2));
    assertThat(types.get("norms/body/norm1/scale")).isEqualTo(Type.f32(2, D));
    assertThat(types.sub("weights").has("body/norm1")).isFalse();
    double[] actual =
        library(
            types,
            theta,
            w ->
                lossAndGradient(
                    number < 0 ? untimed : untimed.at(Expr.fill(Type.i32(), number)), w));
    double[] importance = {first, last};
    List<double[]> frozen = order == Order.FIRST ? new ArrayList<>() : null;
    double loss = plusPlus(theta, importance, frozen);
    double[] gradient = slopes(t -> plusPlus(t, importance, frozen), theta, 1e-4);
    compare(actual, loss, gradient, 2e-5);
  }

  @Test
  void importanceSumsToOneAndEndsAtTheLastStep() {
    MamlPlusPlus.Plan plan = MamlPlusPlus.Plan.of(1000);
    for (int number = 0; number < 300; number += 7) {
      Expr now = Expr.fill(Type.i32(), number);
      double sum = 0;
      for (int k = 0; k < 5; k++) {
        Expr share = plan.importance(k, 5, now);
        Program p = Program.trace(Tree.empty(), in -> Tree.leaf(share));
        double value = Reference.evaluate(p.graph(), List.of()).getFirst()[0];
        assertThat(value).isGreaterThanOrEqualTo(number < 100 ? 0.03 / 5 - 1e-12 : 0);
        sum += value;
        if (number >= 100) {
          assertThat(value).isEqualTo(k == 4 ? 1 : 0);
        }
      }
      assertThat(sum).isCloseTo(1, within(1e-12));
    }
  }

  /** More steps than were trained go on with the last one's rates and norms. */
  @Test
  void stepsBeyondTheTrainedOnes() {
    Loss clean = Loss.crossEntropy(NORMED);
    MamlPlusPlus two =
        new MamlPlusPlus(NORMED, clean, clean, 2, 0.1, new MamlPlusPlus.Plan(10, 4, 0));
    double[] actual =
        library(
            two.types(NORMED.types()),
            plusPlusTheta(),
            theta -> {
              Tree<Expr> fast = two.start(theta, task().support());
              for (int k = 0; k < 3; k++) {
                fast = two.step(theta, fast, task().support());
              }
              return Tree.leaf(clean.of(two.weights(fast), task().query()));
            });
    double[] theta = plusPlusTheta();
    int weights = PlainNet.PIXELS * D + 3 * D + 3;
    double[] w = Arrays.copyOf(theta, weights);
    for (int step = 0; step < 3; step++) {
      int k = Math.min(step, 1);
      int norms = weights + 6;
      double[] scale = Arrays.copyOfRange(theta, norms + k * D, norms + k * D + D);
      double[] shift = Arrays.copyOfRange(theta, norms + (2 + k) * D, norms + (3 + k) * D);
      double[] g = slopes(v -> normedLoss(v, scale, shift, SUPPORT), w, 1e-5);
      for (int i = 0; i < weights; i++) {
        int layer = i < PlainNet.PIXELS * D ? 0 : i < weights - 3 ? 1 : 2;
        w[i] -= theta[weights + layer * 2 + k] * g[i];
      }
    }
    int norms = weights + 6;
    double[] scale = Arrays.copyOfRange(theta, norms + D, norms + 2 * D);
    double[] shift = Arrays.copyOfRange(theta, norms + 3 * D, norms + 4 * D);
    assertThat(actual[0]).isCloseTo(normedLoss(w, scale, shift, QUERY), within(1e-7));
  }

  // Contrastive losses.

  private static double cosine(double[] a, double[] b) {
    double dot = 0;
    double aa = 0;
    double bb = 0;
    for (int i = 0; i < a.length; i++) {
      dot += a[i] * b[i];
      aa += a[i] * a[i];
      bb += b[i] * b[i];
    }
    return dot / Math.sqrt(aa * bb);
  }

  /** -log of the share of {@code partner} among all rows but the anchor itself. */
  private static double contrast(double[][] z, int anchor, int partner, double temperature) {
    double total = 0;
    for (int k = 0; k < z.length; k++) {
      total += k == anchor ? 0 : Math.exp(cosine(z[anchor], z[k]) / temperature);
    }
    return Math.log(total) - cosine(z[anchor], z[partner]) / temperature;
  }

  private static double ntXent(double[][] z, double temperature) {
    double sum = 0;
    for (int i = 0; i < z.length; i++) {
      sum += contrast(z, i, (i + z.length / 2) % z.length, temperature) / z.length;
    }
    return sum;
  }

  private static double[][] joined(double[][]... parts) {
    return Arrays.stream(parts).flatMap(Arrays::stream).toArray(double[][]::new);
  }

  /** FGSM from a random start: uniform, clipped; 1.25 eps along the sign; ball; [0,1]. */
  private static double[][] fgsmRs(ToDoubleFunction<double[][]> loss, double[][] x, Key key) {
    int d = x[0].length;
    double[][] start = new double[x.length][d];
    for (int i = 0; i < x.length * d; i++) {
      double moved = x[i / d][i % d] + (2 * u(key, i) - 1) * EPS;
      start[i / d][i % d] = Math.max(0, Math.min(1, moved));
    }
    double[][] adv = new double[x.length][d];
    for (int i = 0; i < x.length * d; i++) {
      double keep = start[i / d][i % d];
      start[i / d][i % d] = keep + 1e-6;
      double up = loss.applyAsDouble(start);
      start[i / d][i % d] = keep - 1e-6;
      double down = loss.applyAsDouble(start);
      start[i / d][i % d] = keep;
      double clean = x[i / d][i % d];
      double moved = keep + 1.25 * EPS * Math.signum(up - down);
      moved = Math.max(clean - EPS, Math.min(clean + EPS, moved));
      adv[i / d][i % d] = Math.max(0, Math.min(1, moved));
    }
    return adv;
  }

  @Test
  void rocl() {
    double[] w = theta(PlainNet.WEIGHTS);
    Key key = TASK.fold(1);
    double[][] first = view(QUERY.x(), key.fold(0));
    double[][] second = view(QUERY.x(), key.fold(1));
    double[][] adv =
        fgsmRs(x -> ntXent(joined(features(w, x), features(w, second)), 0.5), first, key.fold(2));
    ToDoubleFunction<double[]> plain =
        v -> {
          double[][] z = joined(features(v, first), features(v, second), features(v, adv));
          int n = QUERY.x().length;
          double sum = 0;
          for (int i = 0; i < 3 * n; i++) {
            sum += contrast(z, i, (i + n) % (3 * n), 0.5) / (6 * n);
            sum += contrast(z, i, (i + 2 * n) % (3 * n), 0.5) / (6 * n);
          }
          return sum + 0.3 * ntXent(joined(features(v, adv), features(v, second)), 0.5);
        };
    InstanceContrast loss =
        new InstanceContrast(NET::features, VIEW, new FgsmRs(new Linf(EPS)), 0.5, 0.3);
    double[] actual =
        library(
            NET.types(),
            w,
            v -> {
              Grad.Result r = Grad.valueAndGrad(t -> loss.of(t, task().query()), v);
              return Tree.of("0", r.value()).with("1", r.gradient());
            });
    compare(actual, plain.applyAsDouble(w), slopes(plain, w, 1e-5), 1e-6);
  }

  @Test
  void mavrl() {
    double[] theta = theta(PlainNet.WEIGHTS);
    double rate = 0.6;
    double lambda = 0.7;
    double agreement = 0.4;
    double[][][] views = new double[2][][];
    for (int j = 0; j < 2; j++) {
      views[j] = view(QUERY.x(), TASK.fold(1).fold(71).fold(j));
    }
    Function<double[], double[][]> encoders =
        w -> {
          double[][] adapted = new double[2][];
          for (int j = 0; j < 2; j++) {
            double[][] x = view(SUPPORT.x(), TASK.fold(0).fold(71).fold(j));
            adapted[j] = w.clone();
            for (int k = 0; k < 2; k++) {
              double[] g = PlainNet.gradient(adapted[j], SUPPORT.withImages(x));
              for (int i = 0; i < g.length; i++) {
                adapted[j][i] -= rate * g[i];
              }
            }
          }
          return adapted;
        };
    int n = QUERY.x().length;
    double[][] at = encoders.apply(theta);
    double[][] adv =
        fgsmRs(
            x ->
                ntXent(
                    joined(
                        features(at[0], Arrays.copyOf(x, n)),
                        features(at[1], Arrays.copyOfRange(x, n, 2 * n))),
                    0.5),
            joined(views),
            TASK.fold(1).fold(72));
    ToDoubleFunction<double[]> plain =
        w -> {
          double[][] e = encoders.apply(w);
          double sum = 0;
          double[][][] z = new double[2][][];
          for (int j = 0; j < 2; j++) {
            double[][] attacked = Arrays.copyOfRange(adv, j * n, (j + 1) * n);
            sum += PlainNet.loss(e[j], QUERY.withImages(views[j]));
            sum += lambda * PlainNet.divergence(e[j], views[j], attacked);
            z[j] = features(e[j], attacked);
          }
          return sum + agreement * ntXent(joined(z), 0.5);
        };
    Loss clean = Loss.crossEntropy(NET);
    Mavrl learner =
        new Mavrl(
            NET,
            new Maml(clean, clean, 2, rate, Order.SECOND),
            VIEW,
            new FgsmRs(new Linf(EPS)),
            0.5,
            lambda,
            agreement);
    double[] actual = library(NET.types(), theta, w -> lossAndGradient(learner, w));
    compare(actual, plain.applyAsDouble(theta), slopes(plain, theta, 1e-5), 1e-6);
  }

  @Test
  void anAuxiliaryTaskAddsItsLossAtTheMetaWeights() {
    Loss clean = Loss.crossEntropy(NET);
    Maml maml = new Maml(clean, clean, 1, 0.5, Order.SECOND);
    WithAuxiliary learner = new WithAuxiliary(maml, clean, 0.25);
    double[] w = theta(PlainNet.WEIGHTS);
    double[] actual =
        library(
            NET.types(),
            w,
            t -> Tree.of("both", learner.taskLoss(t, task()), "alone", maml.taskLoss(t, task())));
    assertThat(actual[0] - actual[1]).isCloseTo(0.25 * PlainNet.loss(w, QUERY), within(1e-9));
  }
}
