package dev.vauban.meta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.vauban.adversarial.Attack;
import dev.vauban.adversarial.FgsmRs;
import dev.vauban.adversarial.Linf;
import dev.vauban.adversarial.Pgd;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Grad;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.backend.reference.Reference;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What each method minimises, and its meta-gradient, against the papers' formulas in plain loops
 * over {@link PlainNet}: inner descent, attacks at the weights at hand, outer loss. The plain
 * meta-gradient is a central difference of the plain loss in which adversarial images (and, to
 * first order, the inner updates) keep the values that they have at theta.
 */
class ObjectivesTest {
  private static final int STEPS = 2;
  private static final double RATE = 0.8;
  private static final double EPS = 0.15;
  private static final double GAMMA = 0.7;
  private static final double GAMMA_IN = 0.4;
  private static final int SUPPORT = 3;
  private static final int QUERIES = 6;
  private static final int UNLABELED = 4;
  // In no image of these are all pixels at a bound and start there too: the sign of a zero gradient
  // would be a matter of rounding.
  private static final List<Key> TASKS = List.of(Key.of(23), Key.of(22));
  private static final Tree<Type> THETA =
      Tree.of(
          "a", Type.f32(PlainNet.PIXELS, PlainNet.HIDDEN),
          "b", Type.f32(PlainNet.HIDDEN, PlainNet.CLASSES));

  /** The two training attacks, in the library and in plain loops. */
  private enum Attacker {
    FGSM_RS(new FgsmRs(new Linf(EPS)), new PlainNet.Budget(EPS, 1.25 * EPS, 1)),
    PGD(new Pgd(new Linf(EPS), 3), new PlainNet.Budget(EPS, 2.5 * EPS / 3, 3));

    private final Attack attack;
    private final PlainNet.Budget budget;

    Attacker(Attack attack, PlainNet.Budget budget) {
      this.attack = attack;
      this.budget = budget;
    }
  }

  /** What is computed at theta and stays as it is while theta moves. */
  private static final class Tape {
    private final List<Object> values = new ArrayList<>();
    private int at;
    private boolean recorded;

    @SuppressWarnings("unchecked")
    <T> T fixed(Supplier<T> value) {
      if (!recorded) {
        values.add(value.get());
      }
      return (T) values.get(at++);
    }

    void rewind() {
      recorded = true;
      at = 0;
    }
  }

  /** The formulas, for one task. */
  private record Formula(String method, Order order, PlainNet.Budget budget, Key task, Tape tape) {
    private static PlainNet.Data data(Key key, int n) {
      double[][] x = new double[n][PlainNet.PIXELS];
      int[] y = new int[n];
      for (int k = 0; k < n; k++) {
        for (int i = 0; i < PlainNet.PIXELS; i++) {
          // Half of the pixels at 0 or 1, where the attacks' clipping shows.
          double u = 2 * key.uniform(k * PlainNet.PIXELS + i) - 0.5;
          x[k][i] = (float) Math.max(0, Math.min(1, u));
        }
        y[k] = k % PlainNet.CLASSES;
      }
      return new PlainNet.Data(x, y);
    }

    PlainNet.Data support() {
      return data(task.fold(7), SUPPORT);
    }

    PlainNet.Data query() {
      return data(task.fold(8), QUERIES);
    }

    PlainNet.Data unlabeled() {
      return data(task.fold(11), UNLABELED);
    }

    /** What the random start draws: 24 bits for each pixel. */
    private static double[][] noise(Key key, int n) {
      double[][] u = new double[n][PlainNet.PIXELS];
      for (int i = 0; i < n * PlainNet.PIXELS; i++) {
        u[i / PlainNet.PIXELS][i % PlainNet.PIXELS] = (key.bits(i) >>> 40) * 0x1p-24;
      }
      return u;
    }

    /** The data with images attacked at {@code w}, which is constant: an attack has no gradient. */
    private PlainNet.Data attacked(double[] w, PlainNet.Data data, Key key) {
      double[][] noise = noise(key, data.x().length);
      return data.withImages(tape.fixed(() -> PlainNet.attack(w, data, noise, budget)));
    }

    /** theta after the inner steps on {@code clean * clean loss + robust * robust loss}. */
    private double[] adapted(double[] theta, double clean, double robust) {
      double[] w = theta.clone();
      for (int k = 0; k < STEPS; k++) {
        double[] at = w;
        Key key = task.fold(0).fold(k);
        PlainNet.Data adv = robust == 0 ? null : attacked(at, support(), key);
        Supplier<double[]> descent =
            () -> {
              double[] g = PlainNet.gradient(at, support());
              double[] r = robust == 0 ? g : PlainNet.gradient(at, adv);
              double[] step = new double[g.length];
              for (int i = 0; i < g.length; i++) {
                step[i] = RATE * (clean * g[i] + robust * r[i]);
              }
              return step;
            };
        double[] step = order == Order.FIRST ? tape.fixed(descent) : descent.get();
        w = new double[theta.length];
        for (int i = 0; i < w.length; i++) {
          w[i] = at[i] - step[i];
        }
      }
      return w;
    }

    private double clean(double[] w) {
      return PlainNet.loss(w, query());
    }

    private double robust(double[] w) {
      return PlainNet.loss(w, attacked(w, query(), task.fold(1)));
    }

    /** Clean cross-entropy plus gamma KL, the images attacked by that divergence. */
    private double trades(double[] w) {
      double[][] x = query().x();
      double[][] noise = noise(task.fold(1), QUERIES);
      double[][] adv =
          tape.fixed(() -> PlainNet.attack(w, x, PlainNet.targets(w, x), noise, budget));
      return clean(w) + GAMMA * PlainNet.divergence(w, x, adv);
    }

    /** Clean cross-entropy of queries plus gamma KL over all images of the task. */
    private double tradesOnAll(double[] w) {
      double[][] x =
          Stream.of(support(), query(), unlabeled())
              .flatMap(d -> Arrays.stream(d.x()))
              .toArray(double[][]::new);
      double[][] noise = noise(task.fold(1), x.length);
      double[][] adv =
          tape.fixed(() -> PlainNet.attack(w, x, PlainNet.targets(w, x), noise, budget));
      return clean(w) + GAMMA * PlainNet.divergence(w, x, adv);
    }

    double loss(double[] theta) {
      switch (method) {
        case "rmaml-dual" -> {
          double[] w = adapted(theta, 1, 0);
          return clean(w) + robust(w);
        }
        case "rmaml-trades-ul" -> {
          return tradesOnAll(adapted(theta, 1, 0));
        }
        case "aq-both" -> {
          return robust(adapted(theta, 0, 1));
        }
        case "maml" -> {
          return clean(adapted(theta, 1, 0));
        }
        case "rmaml-out" -> {
          double[] w = adapted(theta, 1, 0);
          return clean(w) + GAMMA * robust(w);
        }
        case "rmaml-both" -> {
          double[] w = adapted(theta, 1, GAMMA_IN);
          return clean(w) + GAMMA * robust(w);
        }
        case "rmaml-in" -> {
          return clean(adapted(theta, 1, GAMMA_IN));
        }
        case "rmaml-trades" -> {
          return trades(adapted(theta, 1, 0));
        }
        case "aq" -> {
          return robust(adapted(theta, 1, 0));
        }
        case "adml" -> {
          double natural = robust(adapted(theta, 1, 0));
          double adversarial = clean(adapted(theta, 0, 1));
          return (natural + adversarial) / 2;
        }
        default -> throw new IllegalArgumentException(method);
      }
    }
  }

  private static double[] theta() {
    double[] w = new double[PlainNet.WEIGHTS];
    for (int i = 0; i < w.length; i++) {
      w[i] = (float) (1.3 * Key.of(4).normal(i));
    }
    return w;
  }

  /** The mean loss of the tasks, then its gradient, in plain loops. */
  private static double[] plain(String method, Order order, PlainNet.Budget budget) {
    double h = 1e-5;
    double[] out = new double[1 + PlainNet.WEIGHTS];
    for (Key task : TASKS) {
      Tape tape = new Tape();
      Formula f = new Formula(method, order, budget, task, tape);
      out[0] += f.loss(theta()) / TASKS.size();
      for (int i = 0; i < PlainNet.WEIGHTS; i++) {
        for (int side = -1; side <= 1; side += 2) {
          double[] moved = theta();
          moved[i] += side * h;
          tape.rewind();
          out[1 + i] += side * f.loss(moved) / (2 * h) / TASKS.size();
        }
      }
    }
    return out;
  }

  private static Expr logits(Tree<Expr> w, Expr x) {
    return x.matmul(w.get("a")).tanh().matmul(w.get("b"));
  }

  private static Method named(String method, Order order, Attack attack) {
    MetaLearners.Options options =
        new MetaLearners.Options(STEPS, RATE, order, attack, GAMMA, GAMMA_IN);
    return MetaLearners.named(method, ObjectivesTest::logits, options);
  }

  private static double[] flat(double[][] x) {
    return Arrays.stream(x).flatMapToDouble(Arrays::stream).toArray();
  }

  /** Results of a function of {theta, tasks}, one after the other, by the reference backend. */
  private static double[] library(BiFunction<Tree<Expr>, Tree<Expr>, Tree<Expr>> f) {
    int tasks = TASKS.size();
    Tree<Type> types =
        Tree.<Type>empty()
            .with("theta", THETA)
            .with(
                "tasks",
                Tree.<Type>empty()
                    .with("support", batch(tasks, SUPPORT))
                    .with("query", batch(tasks, QUERIES))
                    .with("unlabeled", Type.f32(tasks, UNLABELED, PlainNet.PIXELS))
                    .with("key", Type.i32(tasks, 2)));
    Program p = Program.trace(types, in -> f.apply(in.sub("theta"), in.sub("tasks")));
    int cut = PlainNet.PIXELS * PlainNet.HIDDEN;
    List<double[]> arguments = new ArrayList<>();
    arguments.add(Arrays.copyOf(theta(), cut));
    arguments.add(Arrays.copyOfRange(theta(), cut, PlainNet.WEIGHTS));
    for (boolean query : new boolean[] {false, true}) {
      List<PlainNet.Data> data = new ArrayList<>();
      for (Key task : TASKS) {
        Formula one = new Formula("maml", Order.SECOND, null, task, null);
        data.add(query ? one.query() : one.support());
      }
      arguments.add(data.stream().flatMapToDouble(d -> Arrays.stream(flat(d.x()))).toArray());
      arguments.add(
          data.stream().flatMap(d -> Arrays.stream(d.y()).boxed()).mapToDouble(y -> y).toArray());
    }
    arguments.add(
        TASKS.stream()
            .map(task -> new Formula("maml", Order.SECOND, null, task, null).unlabeled())
            .flatMapToDouble(d -> Arrays.stream(flat(d.x())))
            .toArray());
    arguments.add(
        TASKS.stream()
            .flatMap(k -> List.of(k.k0(), k.k1()).stream())
            .mapToDouble(k -> k)
            .toArray());
    return flat(Reference.evaluate(p.graph(), arguments).toArray(double[][]::new));
  }

  private static Tree<Type> batch(int tasks, int n) {
    return Tree.of("x", Type.f32(tasks, n, PlainNet.PIXELS), "y", Type.i32(tasks, n));
  }

  @ParameterizedTest
  @CsvSource({
    "maml, FGSM_RS",
    "rmaml-out, FGSM_RS",
    "rmaml-out, PGD",
    "rmaml-both, FGSM_RS",
    "rmaml-both, PGD",
    "rmaml-in, FGSM_RS",
    "rmaml-in, PGD",
    "rmaml-trades, FGSM_RS",
    "rmaml-trades, PGD",
    "aq, FGSM_RS",
    "aq, PGD",
    "adml, FGSM_RS",
    "adml, PGD",
    "rmaml-dual, FGSM_RS",
    "rmaml-trades-ul, FGSM_RS",
    "rmaml-trades-ul, PGD",
    "aq-both, FGSM_RS",
    "aq-both, PGD"
  })
  void lossAndMetaGradientAreThoseOfTheFormula(String method, Attacker attacker) {
    for (Order order : Order.values()) {
      MetaLearner learner = named(method, order, attacker.attack).training();
      double[] actual =
          library((theta, tasks) -> {
            Grad.Result r = Grad.valueAndGrad(w -> learner.metaLoss(w, tasks), theta);
            return Tree.of("0", r.value()).with("1", r.gradient());
          });
      double[] expected = plain(method, order, attacker.budget);
      assertThat(actual).hasSameSizeAs(expected);
      assertThat(actual[0]).as("%s loss", order).isCloseTo(expected[0], within(1e-7));
      for (int i = 1; i < expected.length; i++) {
        assertThat(actual[i])
            .as("%s derivative in weight %d", order, i - 1)
            .isCloseTo(expected[i], within(1e-6));
      }
    }
  }

  /** At test time every method adapts to clean support images. */
  @ParameterizedTest
  @CsvSource({
    "maml",
    "rmaml-out",
    "rmaml-both",
    "rmaml-in",
    "rmaml-dual",
    "rmaml-trades",
    "rmaml-trades-ul",
    "aq",
    "aq-both",
    "adml"
  })
  void adaptationAtTestTimeIsClean(String method) {
    MetaLearner learner = named(method, Order.SECOND, Attacker.PGD.attack).evaluation();
    double[] actual =
        library((theta, tasks) ->
            learner.adapt(
                theta,
                Task.of(tasks.map(e -> e.slice(0, 0, 1).reshape(e.shape().without(0)))).support()));
    double[] expected =
        new Formula("maml", Order.SECOND, null, TASKS.getFirst(), new Tape())
            .adapted(theta(), 1, 0);
    assertThat(actual).hasSameSizeAs(expected);
    for (int i = 0; i < expected.length; i++) {
      assertThat(actual[i]).as("weight %d", i).isCloseTo(expected[i], within(1e-9));
    }
  }

  /** Here no two formulas agree, and clipping and projection change images: a slip would show. */
  @Test
  void theFormulasCanBeToldApart() {
    List<double[]> seen = new ArrayList<>();
    for (String method :
        List.of(
            "maml",
            "rmaml-out",
            "rmaml-both",
            "rmaml-in",
            "rmaml-dual",
            "rmaml-trades",
            "rmaml-trades-ul",
            "aq",
            "aq-both",
            "adml")) {
      for (Order order : Order.values()) {
        for (Attacker attacker : Attacker.values()) {
          if (!method.equals("maml") || attacker == Attacker.PGD) {
            seen.add(plain(method, order, attacker.budget));
          }
        }
      }
    }
    for (int i = 0; i < seen.size(); i++) {
      for (int j = 0; j < i; j++) {
        double most = 0;
        for (int k = 0; k < seen.get(i).length; k++) {
          most = Math.max(most, Math.abs(seen.get(i)[k] - seen.get(j)[k]));
        }
        assertThat(most).as("formula %d against %d", i, j).isGreaterThan(1e-3);
      }
    }
    for (Attacker attacker : Attacker.values()) {
      Formula f = new Formula("aq", Order.SECOND, attacker.budget, TASKS.getFirst(), new Tape());
      double[][] x = f.query().x();
      double[][] adv = f.attacked(theta(), f.query(), TASKS.getFirst().fold(1)).x();
      int onBall = 0;
      int clipped = 0;
      for (int n = 0; n < QUERIES; n++) {
        for (int i = 0; i < PlainNet.PIXELS; i++) {
          double change = Math.abs(adv[n][i] - x[n][i]);
          assertThat(change).isLessThanOrEqualTo(EPS + 1e-12);
          boolean atBound = adv[n][i] == 0 || adv[n][i] == 1;
          onBall += !atBound && change > EPS - 1e-12 ? 1 : 0;
          clipped += atBound && change < EPS - 1e-12 ? 1 : 0;
        }
      }
      assertThat(onBall).as("pixels held by the ball").isGreaterThan(3);
      assertThat(clipped).as("pixels held by [0,1]").isGreaterThan(3);
    }
  }

  /** With the divergence as regulariser, R-MAML's outer level is TRADES; the inner one too. */
  @Test
  void theDivergenceMayTakeThePlaceOfTheCrossEntropy() {
    MetaLearners.More more =
        new MetaLearners.More(0, 1, 0, null, 1, 0, 1, MetaLearners.Regularizer.DIVERGENCE);
    MetaLearners.Options options =
        new MetaLearners.Options(
            STEPS, RATE, Order.SECOND, Attacker.PGD.attack, GAMMA, GAMMA_IN, more);
    MetaLearner outer = MetaLearners.named("rmaml-out", ObjectivesTest::logits, options).training();
    double[] actual = library((theta, tasks) -> Tree.leaf(outer.metaLoss(theta, tasks)));
    double[] expected = plain("rmaml-trades", Order.SECOND, Attacker.PGD.budget);
    assertThat(actual[0]).isCloseTo(expected[0], within(1e-7));
    MetaLearner both = MetaLearners.named("rmaml-both", ObjectivesTest::logits, options).training();
    double[] other = library((theta, tasks) -> Tree.leaf(both.metaLoss(theta, tasks)));
    assertThat(Math.abs(other[0] - expected[0])).isGreaterThan(1e-3);
  }
}
