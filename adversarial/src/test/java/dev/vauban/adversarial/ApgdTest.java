package dev.vauban.adversarial;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.vauban.nn.Losses;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.ShapeException;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.backend.reference.Reference;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BinaryOperator;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** APGD against a second writing of its pseudo-code, and closed forms on linear models. */
class ApgdTest {
  private static final int N = 6;
  private static final int D = 24;
  private static final int K = 5;
  private static final Key KEY = Key.of(21);

  private static double[] normal(long seed, int n) {
    return IntStream.range(0, n).mapToDouble(Key.of(seed)::normal).toArray();
  }

  /** Labels that a random network gives some of the images, so that not all are fooled at once. */
  private static Expr labels() {
    return Expr.data(Type.i32(N), IntStream.range(0, N).mapToDouble(i -> i % K).toArray());
  }

  private static Expr logits(Expr x) {
    Expr w = Expr.data(Type.f32(D, 12), normal(5, D * 12));
    Expr v = Expr.data(Type.f32(12, K), normal(6, 12 * K));
    return x.matmul(w).tanh().matmul(v);
  }

  private static UnaryOperator<Expr> loss(String name) {
    BinaryOperator<Expr> f = name.equals("ce") ? Losses::crossEntropy : Dlr::of;
    return x -> f.apply(logits(x), labels());
  }

  private static UnaryOperator<Expr> margin() {
    return x -> Dlr.of(logits(x), labels());
  }

  private static double[] images() {
    return IntStream.range(0, N * D).mapToDouble(Key.of(11)::uniform).toArray();
  }

  private static double[] startNear(double[] x, boolean linf, double eps) {
    double scale = linf ? eps : eps / Math.sqrt(D);
    double[] start = new double[x.length];
    for (int i = 0; i < x.length; i++) {
      start[i] = Math.clamp(x[i] + scale * (2 * Key.of(12).uniform(i) - 1), 0.0, 1.0);
    }
    return start;
  }

  private static Ball ball(boolean linf, double eps) {
    return linf ? new Linf(eps) : new L2(eps);
  }

  /** Loss, gradient and margin by the reference interpreter. */
  private static Function<double[], PlainApgd.Seen> model(UnaryOperator<Expr> loss) {
    Program p =
        Program.trace(
            Tree.leaf(Type.f32(N, D)),
            in ->
                Tree.of(
                    "loss", loss.apply(in.value()),
                    "gradient", Attack.ascent(loss, in.value()),
                    "margin", margin().apply(in.value())));
    return x -> {
      List<double[]> out = Reference.evaluate(p.graph(), List.of(x));
      return new PlainApgd.Seen(out.get(0), out.get(1), out.get(2));
    };
  }

  private static List<double[]> traced(
      UnaryOperator<Expr> loss, Apgd attack, double[] x, double[] start) {
    Type images = Type.f32(N, D);
    Program p =
        Program.trace(
            Tree.of("x", images, "start", images),
            in -> {
              Apgd.Found f = attack.search(loss, margin(), in.get("x"), in.get("start"));
              return Tree.of("best", f.best(), "loss", f.loss(), "fooling", f.fooling());
            });
    return Reference.evaluate(p.graph(), List.of(x, start));
  }

  private static double distance(double[] a, double[] b) {
    double most = 0;
    for (int i = 0; i < a.length; i++) {
      most = Math.max(most, Math.abs(a[i] - b[i]));
    }
    return most;
  }

  @ParameterizedTest
  @CsvSource({
    "true, 0.1, 100, ce",
    "true, 0.1, 100, dlr",
    "false, 0.3, 100, ce",
    "false, 0.3, 100, dlr",
    "true, 0.2, 33, ce",
    "true, 0.1, 1, ce",
    "false, 0.5, 4, dlr"
  })
  void isThePseudoCode(boolean linf, double eps, int steps, String name) {
    double[] x = images();
    double[] start = startNear(x, linf, eps);
    PlainApgd plain = new PlainApgd(linf, eps, steps).run(x, start, N, model(loss(name)));
    List<double[]> found = traced(loss(name), new Apgd(ball(linf, eps), steps), x, start);
    // A ratio of logits in L2 amplifies: what a move by 1e-13 changes, other roundings may change.
    double[] moved = start.clone();
    for (int i = 0; i < moved.length; i++) {
      moved[i] += i % 2 == 0 ? 1e-13 : -1e-13;
    }
    PlainApgd near = new PlainApgd(linf, eps, steps).run(x, moved, N, model(loss(name)));
    double allowed = Math.max(1e-9, distance(near.best, plain.best));
    assertThat(allowed).isLessThan(1e-5);
    assertThat(distance(found.get(0), plain.best)).isLessThan(allowed);
    assertThat(distance(found.get(1), plain.highest)).isLessThan(allowed);
    assertThat(distance(found.get(2), plain.fooling)).isLessThan(allowed);
  }

  @ParameterizedTest
  @EnumSource
  void theComparisonNotices(PlainApgd.Mistake mistake) {
    double[] x = images();
    double most = 0;
    int runs = 0;
    for (int steps : new int[] {100, 100, 20, 20}) {
      boolean linf = runs++ % 2 == 0;
      double eps = linf ? 0.1 : 0.3;
      double[] start = startNear(x, linf, eps);
      PlainApgd wrong =
          new PlainApgd(linf, eps, steps, mistake).run(x, start, N, model(loss("ce")));
      List<double[]> found = traced(loss("ce"), new Apgd(ball(linf, eps), steps), x, start);
      most = Math.max(most, distance(found.get(1), wrong.highest));
      most = Math.max(most, distance(found.get(2), wrong.fooling));
    }
    assertThat(most).isGreaterThan(1e-5);
  }

  @Test
  void aHundredStepsHaveThePapersCheckpoints() {
    List<Integer> since = Apgd.checkpoints(100);
    assertThat(IntStream.rangeClosed(0, 100).filter(i -> since.get(i) > 0).toArray())
        .containsExactly(22, 41, 57, 70, 80, 87, 93, 99);
    assertThat(since.stream().filter(k -> k > 0)).containsExactly(22, 19, 16, 13, 10, 7, 6, 6);
    assertThat(Apgd.checkpoints(1)).containsExactly(0, 1);
  }

  /** With two classes the loss rises along one direction everywhere: the optimum is known. */
  @ParameterizedTest
  @CsvSource({"true, 0.07", "false, 0.4"})
  void reachesTheOptimumOfALinearModel(boolean linf, double eps) {
    double[] w = normal(31, D);
    double[] x = images();
    for (int i = 0; i < x.length; i++) {
      x[i] = 0.45 + 0.1 * x[i]; // the box is out of reach
    }
    double length =
        linf
            ? Arrays.stream(w).map(Math::abs).sum()
            : Math.sqrt(Arrays.stream(w).map(v -> v * v).sum());
    UnaryOperator<Expr> score = z -> z.matmul(Expr.data(Type.f32(D, 1), w)).reshape(N);
    UnaryOperator<Expr> crossEntropy =
        z -> {
          Expr s = score.apply(z).reshape(N, 1);
          return Losses.crossEntropy(Expr.concat(1, s, s.neg()), Expr.fill(Type.i32(N), 1));
        };
    Program p =
        Program.trace(
            Tree.of("x", Type.f32(N, D), "key", Type.i32(2)),
            in -> {
              Expr a =
                  new Apgd(ball(linf, eps), 100).perturb(crossEntropy, in.get("x"), in.get("key"));
              return Tree.of("before", score.apply(in.get("x")), "after", score.apply(a));
            });
    List<double[]> out =
        Reference.evaluate(p.graph(), List.of(x, new double[] {KEY.k0(), KEY.k1()}));
    for (int n = 0; n < N; n++) {
      assertThat(out.get(1)[n] - out.get(0)[n]).isCloseTo(eps * length, within(1e-6));
    }
  }

  /** Targeted at every other class it breaks exactly the images that can be broken. */
  @ParameterizedTest
  @CsvSource({"true, 0.006", "false, 0.025"})
  void breaksExactlyTheVulnerableImagesOfALinearModel(boolean linf, double eps) {
    int n = 40;
    double[] w = normal(41, D * K);
    double[] x =
        IntStream.range(0, n * D).mapToDouble(i -> 0.4 + 0.2 * Key.of(42).uniform(i)).toArray();
    Type images = Type.f32(n, D);
    double[] logits =
        Reference.evaluate(
                Program.trace(
                        Tree.leaf(images), in -> Tree.leaf(in.value().sub(0.5).matmul(matrix(w))))
                    .graph(),
                List.of(x))
            .getFirst();
    double[] y = new double[n];
    boolean[] vulnerable = new boolean[n];
    for (int i = 0; i < n; i++) {
      double[] z = Arrays.copyOfRange(logits, i * K, (i + 1) * K);
      int top = IntStream.range(0, K).reduce(0, (a, b) -> z[b] > z[a] ? b : a);
      y[i] = top;
      for (int c = 0; c < K; c++) {
        double dual = 0;
        for (int j = 0; j < D; j++) {
          double difference = w[j * K + top] - w[j * K + c];
          dual += linf ? Math.abs(difference) : difference * difference;
        }
        vulnerable[i] |= c != top && z[top] - z[c] < eps * (linf ? dual : Math.sqrt(dual));
      }
    }
    boolean[] broken = new boolean[n];
    boolean[] brokenUntargeted = new boolean[n];
    for (int t = 0; t < K; t++) {
      int target = t;
      Program p =
          Program.trace(
              Tree.of("x", images, "y", Type.i32(n), "key", Type.i32(2)),
              in -> {
                Expr labels = in.get("y");
                Expr to = Expr.fill(Type.i32(n), target);
                UnaryOperator<Expr> f = a -> a.sub(0.5).matmul(matrix(w));
                Apgd attack = new Apgd(ball(linf, eps), 40);
                Expr aimed =
                    attack.perturb(
                        a -> Dlr.targeted(f.apply(a), labels, to), in.get("x"), in.get("key"));
                Expr any =
                    attack.perturb(a -> Dlr.of(f.apply(a), labels), in.get("x"), in.get("key"));
                return Tree.of(
                    "aimed", Dlr.of(f.apply(aimed), labels), "any", Dlr.of(f.apply(any), labels));
              });
      List<double[]> out =
          Reference.evaluate(p.graph(), List.of(x, y, new double[] {KEY.k0(), KEY.k1()}));
      for (int i = 0; i < n; i++) {
        broken[i] |= y[i] != t && out.get(0)[i] > 0;
        brokenUntargeted[i] |= out.get(1)[i] > 0;
      }
    }
    List<Integer> expected = indices(vulnerable);
    assertThat(expected).hasSizeBetween(n / 5, 4 * n / 5);
    assertThat(indices(broken)).isEqualTo(expected);
    // Without a target it may miss one, and never breaks what cannot be broken.
    assertThat(expected).containsAll(indices(brokenUntargeted));
    assertThat(indices(brokenUntargeted)).hasSizeGreaterThanOrEqualTo(expected.size() - 1);
  }

  private static List<Integer> indices(boolean[] which) {
    return IntStream.range(0, which.length).filter(i -> which[i]).boxed().toList();
  }

  private static Expr matrix(double[] w) {
    return Expr.data(Type.f32(D, K), w);
  }

  @Test
  void startsLieOnTheSurface() {
    int n = 50;
    Type images = Type.f32(n, 4);
    for (Ball ball : List.of(new Linf(0.5), new L2(0.5))) {
      Program p =
          Program.trace(
              Tree.of("x", images, "key", Type.i32(2)),
              in -> Tree.leaf(ball.surface(in.get("x"), in.get("key"))));
      double[] at =
          Reference.evaluate(p.graph(), List.of(new double[n * 4], new double[] {1, 2})).getFirst();
      List<Double> sizes = new ArrayList<>();
      for (int i = 0; i < n; i++) {
        double[] one = Arrays.copyOfRange(at, 4 * i, 4 * i + 4);
        sizes.add(
            ball instanceof Linf
                ? Arrays.stream(one).map(Math::abs).max().orElseThrow()
                : Math.sqrt(Arrays.stream(one).map(v -> v * v).sum()));
      }
      assertThat(sizes).allSatisfy(size -> assertThat(size).isCloseTo(0.5, within(1e-6)));
      assertThat(Arrays.stream(at).sum() / at.length).isCloseTo(0, within(0.06));
    }
  }

  @Test
  void theRatioOfLogitsNeitherShiftsNorScales() {
    double[] z = normal(51, 8 * K);
    Type rows = Type.f32(8, K);
    Program p =
        Program.trace(
            Tree.leaf(rows),
            in -> {
              Expr y = Expr.data(Type.i32(8), 0, 1, 2, 3, 4, 0, 1, 2);
              Expr t = Expr.data(Type.i32(8), 1, 2, 3, 4, 0, 2, 3, 4);
              Expr other = in.value().mul(300).add(7);
              return Tree.of("once", Dlr.of(in.value(), y), "again", Dlr.of(other, y))
                  .with("aimed", Dlr.targeted(in.value(), y, t))
                  .with("aimedAgain", Dlr.targeted(other, y, t));
            });
    List<double[]> out = Reference.evaluate(p.graph(), List.of(z));
    assertThat(distance(out.get(0), out.get(1))).isLessThan(1e-9);
    assertThat(distance(out.get(2), out.get(3))).isLessThan(1e-9);
    double[] first = Arrays.copyOf(z, K);
    double[] sorted = first.clone();
    Arrays.sort(sorted);
    double other = Arrays.stream(first).skip(1).max().orElseThrow();
    assertThat(out.get(0)[0])
        .isCloseTo((other - first[0]) / (sorted[K - 1] - sorted[K - 3]), within(1e-9));
    double tail = (sorted[K - 3] + sorted[K - 4]) / 2;
    assertThat(out.get(2)[0])
        .isCloseTo((first[1] - first[0]) / (sorted[K - 1] - tail), within(1e-9));
    assertThatThrownBy(() -> Dlr.of(Expr.fill(Type.f32(3, 2), 0), Expr.fill(Type.i32(3), 0)))
        .isInstanceOf(ShapeException.class)
        .hasMessage("the DLR loss needs logits [N,C] of at least 3 classes, not [3,2]");
  }

  /** A loss of the whole batch decides for the whole batch: as if it were one image. */
  @Test
  void aLossOfTheBatchHasOneStep() {
    double[] x = images();
    Type images = Type.f32(N, D);
    UnaryOperator<Expr> each = loss("ce");
    Apgd attack = new Apgd(new Linf(0.1), 20);
    Program p =
        Program.trace(
            Tree.of("x", images, "start", images),
            in -> {
              Expr x1 = in.get("x");
              Expr start = in.get("start");
              Expr one =
                  attack.ascendFrom(
                      z -> each.apply(z.reshape(N, D)).sum().reshape(1),
                      x1.reshape(1, N * D),
                      start.reshape(1, N * D));
              return Tree.of(
                  "together", attack.ascendFrom(z -> each.apply(z).sum(), x1, start),
                  "one", one,
                  "each", attack.ascendFrom(each, x1, start));
            });
    List<double[]> out = Reference.evaluate(p.graph(), List.of(x, startNear(x, true, 0.1)));
    assertThat(distance(out.get(0), out.get(1))).isLessThan(1e-12);
    assertThat(distance(out.get(0), out.get(2))).isGreaterThan(1e-3);
  }
}
