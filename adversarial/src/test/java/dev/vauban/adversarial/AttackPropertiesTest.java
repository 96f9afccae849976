package dev.vauban.adversarial;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Grad;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.Vmap;
import dev.vauban.tensor.backend.reference.Reference;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What holds for every attack: the ball, the box, keys, and closed forms on linear models. */
class AttackPropertiesTest {
  private static final double EPS = 0.07;
  private static final int N = 6;
  private static final int D = 30;

  /** A random two-layer scorer of one number per image, and a linear one. */
  private static UnaryOperator<Expr> smooth() {
    double[] w = random(5, D * 4);
    double[] v = random(6, 4);
    return x ->
        x.matmul(Expr.data(Type.f32(D, 4), w))
            .tanh()
            .matmul(Expr.data(Type.f32(4, 1), v))
            .reshape(N);
  }

  private static double[] linearWeights() {
    return random(7, D);
  }

  private static UnaryOperator<Expr> linear() {
    return x -> x.matmul(Expr.data(Type.f32(D, 1), linearWeights())).reshape(N);
  }

  private static double[] random(long seed, int n) {
    double[] out = new double[n];
    for (int i = 0; i < n; i++) {
      out[i] = Key.of(seed).normal(i);
    }
    return out;
  }

  /** Pixels in [lo, hi], the first image black and white. */
  private static double[] images(double lo, double hi) {
    double[] x = new double[N * D];
    for (int i = 0; i < x.length; i++) {
      double u = Key.of(11).uniform(i);
      x[i] = lo == 0 && i < D ? Math.rint(u) : lo + (hi - lo) * u;
    }
    return x;
  }

  private static double[] run(Attack a, UnaryOperator<Expr> loss, double[] x, Key key) {
    Program p =
        Program.trace(
            Tree.of("x", Type.f32(N, D), "key", Type.i32(2)),
            in -> Tree.leaf(a.perturb(loss, in.get("x"), in.get("key"))));
    return Reference.evaluate(p.graph(), List.of(x, new double[] {key.k0(), key.k1()})).getFirst();
  }

  private static double[] losses(UnaryOperator<Expr> loss, double[] x) {
    Program p = Program.trace(Tree.leaf(Type.f32(N, D)), in -> Tree.leaf(loss.apply(in.value())));
    return Reference.evaluate(p.graph(), List.of(x)).getFirst();
  }

  static Stream<Attack> attacks() {
    List<Attack> all = new ArrayList<>();
    for (Ball b : List.of(new Linf(EPS), new L2(EPS * 3))) {
      all.add(new Fgsm(b));
      all.add(new FgsmRs(b));
      all.add(new Pgd(b, 7));
      all.add(new Pgd(b, 7).from(Start.IMAGE));
      all.add(new Pgd(b, 7).from(Start.NEAR));
      all.add(new Apgd(b, 12));
      all.add(new Apgd(b, 12).from(Start.IMAGE));
      all.add(new Apgd(b, 12).from(Start.NEAR));
      all.add(new MiFgsm(b, 5));
      all.add(new Restarts(new Pgd(b, 3), 4, Restarts.Keep.IMAGE));
      all.add(new Restarts(new FgsmRs(b), 4, Restarts.Keep.BATCH));
    }
    return all.stream();
  }

  @ParameterizedTest
  @MethodSource("attacks")
  void staysInBallAndBoxAndRaisesTheLoss(Attack attack) {
    double[] x = images(0, 1);
    double[] adv = run(attack, smooth(), x, Key.of(1));
    boolean l2 = attack.toString().contains("L2");
    for (int n = 0; n < N; n++) {
      double length = 0;
      for (int i = n * D; i < (n + 1) * D; i++) {
        assertThat(adv[i]).isBetween(0.0, 1.0);
        if (!l2) {
          assertThat(Math.abs(adv[i] - x[i])).isLessThanOrEqualTo(EPS + 1e-6);
        }
        length += (adv[i] - x[i]) * (adv[i] - x[i]);
      }
      assertThat(Math.sqrt(length)).isGreaterThan(1e-3);
      if (l2) {
        assertThat(Math.sqrt(length)).isLessThanOrEqualTo(EPS * 3 + 1e-6);
      }
    }
    double before = Arrays.stream(losses(smooth(), x)).sum();
    assertThat(Arrays.stream(losses(smooth(), adv)).sum()).isGreaterThan(before + 0.1);
  }

  /** Where the loss is flat an attack stays where it began. */
  @ParameterizedTest
  @MethodSource("attacks")
  void saysWhetherItBeginsAtTheImage(Attack attack) {
    // Restarts keep the image itself where nothing is worse, so it is their attack that is asked.
    Attack once = attack instanceof Restarts r ? r.attack() : attack;
    double[] x = images(0.3, 0.7);
    double[] adv = run(once, z -> z.mul(0).sum(1), x, Key.of(1));
    assertThat(Arrays.equals(adv, x)).isEqualTo(attack.beginsAtImage());
  }

  /** TRADES asks for the images that change the predictions most, where no change is the least. */
  @ParameterizedTest
  @MethodSource("attacks")
  void aDivergenceNeedsAnAttackThatBeginsElsewhere(Attack attack) {
    Classifier net = (w, z) -> z.matmul(Expr.data(Type.f32(D, 4), random(5, D * 4)));
    Key key = Key.of(1);
    double[] keys = {key.k0(), key.k1()};
    Tree<Type> types = Tree.of("x", Type.f32(N, D), "key", Type.i32(2));
    Supplier<Program> trace =
        () ->
            Program.trace(
                types,
                in ->
                    Tree.leaf(
                        Divergence.mean(net, attack, Tree.empty(), in.get("x"), in.get("key"))));
    if (attack.beginsAtImage()) {
      assertThatThrownBy(trace::get)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("no gradient at the image itself, where " + attack + " begins");
    } else {
      double[] value =
          Reference.evaluate(trace.get().graph(), List.of(images(0, 1), keys)).getFirst();
      assertThat(value[0]).isGreaterThan(1e-3);
    }
  }

  @ParameterizedTest
  @MethodSource("attacks")
  void sameKeySameImages(Attack attack) {
    double[] x = images(0, 1);
    double[] once = run(attack, smooth(), x, Key.of(1));
    assertThat(run(attack, smooth(), x, Key.of(1))).isEqualTo(once);
    boolean draws = attack.toString().contains("random") || attack.toString().contains("rs ");
    if (draws) {
      assertThat(run(attack, smooth(), x, Key.of(2))).isNotEqualTo(once);
    }
  }

  @ParameterizedTest
  @MethodSource("attacks")
  void hasNoGradient(Attack attack) {
    Program p =
        Program.trace(
            Tree.of("x", Type.f32(N, D), "key", Type.i32(2)),
            in ->
                Tree.leaf(
                    Grad.grad(x -> attack.perturb(smooth(), x, in.get("key")).sum(), in.get("x"))));
    assertThat(Reference.evaluate(p.graph(), List.of(images(0, 1), new double[2])).getFirst())
        .containsOnly(0.0);
  }

  @Test
  void noAttackAtRadiusZero() {
    double[] x = images(0, 1);
    for (String name :
        List.of("fgsm", "fgsm-rs", "pgd-5", "pgd-l2", "apgd", "apgd-l2", "mi-fgsm")) {
      Attack a = Attacks.named(name, Attacks.Options.eps(0));
      assertThat(run(a, smooth(), x, Key.of(3))).as(name).isEqualTo(x);
    }
  }

  @Test
  void fgsmRaisesALinearLossByEpsTimesTheL1Norm() {
    double[] x = images(0.2, 0.8);
    double[] before = losses(linear(), x);
    double l1 = Arrays.stream(linearWeights()).map(Math::abs).sum();
    double l2 = Math.sqrt(Arrays.stream(linearWeights()).map(w -> w * w).sum());
    double[] inf = losses(linear(), run(new Fgsm(new Linf(EPS)), linear(), x, Key.of(1)));
    double[] two = losses(linear(), run(new Fgsm(new L2(0.15)), linear(), x, Key.of(1)));
    double[] pgd = losses(linear(), run(new Pgd(new Linf(EPS), 10), linear(), x, Key.of(1)));
    for (int n = 0; n < N; n++) {
      assertThat(inf[n] - before[n]).isCloseTo(EPS * l1, within(1e-9));
      assertThat(two[n] - before[n]).isCloseTo(0.15 * l2, within(1e-9));
      assertThat(pgd[n] - before[n]).isCloseTo(EPS * l1, within(1e-9));
    }
  }

  @Test
  void theGradientOfFgsmRsIsTakenAtTheClippedStart() {
    // Black-and-white images: half of the starts leave [0,1]; each pixel must still reach its
    // bound.
    double[] x = new double[N * D];
    for (int i = 0; i < x.length; i++) {
      x[i] = i % 2;
    }
    double[] w = linearWeights();
    double[] adv = run(new FgsmRs(new Linf(EPS)), linear(), x, Key.of(4));
    int moved = 0;
    for (int i = 0; i < x.length; i++) {
      boolean inward = x[i] == 0 ? w[i % D] > 0 : w[i % D] < 0;
      // From the clipped start (0 to eps inside), 1.25 eps inward always reaches the bound eps.
      assertThat(Math.abs(adv[i] - x[i])).isCloseTo(inward ? EPS : 0, within(1e-9));
      moved += inward ? 1 : 0;
    }
    assertThat(moved).isBetween(N * D / 4, 3 * N * D / 4);
  }

  @Test
  void moreRestartsNeverHelpTheDefender() {
    double[] x = images(0, 1);
    Attack one = new FgsmRs(new Linf(EPS));
    double[] previous = losses(smooth(), x);
    for (int times = 1; times <= 4; times++) {
      Attack a = new Restarts(one, times, Restarts.Keep.IMAGE);
      double[] now = losses(smooth(), run(a, smooth(), x, Key.of(9)));
      for (int n = 0; n < N; n++) {
        assertThat(now[n]).isGreaterThanOrEqualTo(previous[n]);
      }
      previous = now;
    }
  }

  @Test
  void restartsPerImageNeedALossPerImage() {
    Attack a = new Restarts(new FgsmRs(new Linf(EPS)), 2, Restarts.Keep.IMAGE);
    assertThatThrownBy(() -> run(a, x -> linear().apply(x).sum(), images(0, 1), Key.of(1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("need one loss per image, [6], not []");
  }

  @Test
  void startsAreUniformInTheBall() {
    int n = 400;
    Type images = Type.f32(n, 3);
    for (Ball ball : List.of(new Linf(0.5), new L2(0.5))) {
      Program p =
          Program.trace(
              Tree.of("x", images, "key", Type.i32(2)),
              in -> Tree.leaf(ball.start(in.get("x"), in.get("key"))));
      double[] at =
          Reference.evaluate(p.graph(), List.of(new double[n * 3], new double[] {1, 2})).getFirst();
      double sum = 0;
      double inner = 0;
      for (int i = 0; i < n; i++) {
        double size = 0;
        for (int k = 3 * i; k < 3 * i + 3; k++) {
          sum += at[k];
          size = ball instanceof Linf ? Math.max(size, Math.abs(at[k])) : Math.hypot(size, at[k]);
        }
        assertThat(size).isLessThanOrEqualTo(0.5 + 1e-6);
        // Half the radius holds an eighth of the volume.
        inner += size < 0.25 ? 1 : 0;
      }
      assertThat(sum / (3 * n)).isCloseTo(0, within(0.04));
      assertThat(inner / n).isCloseTo(0.125, within(0.06));
    }
  }

  static Stream<Attack> forTasks() {
    return Stream.of(
        new Restarts(new Pgd(new Linf(EPS), 4), 2, Restarts.Keep.BATCH), new Apgd(new L2(EPS), 12));
  }

  @ParameterizedTest
  @MethodSource("forTasks")
  void mapsOverTasksAsALoopWould(Attack a) {
    double[] first = images(0, 1);
    double[] second = images(0.2, 0.9);
    double[] both = Arrays.copyOf(first, 2 * N * D);
    System.arraycopy(second, 0, both, N * D, N * D);
    Program p =
        Program.trace(
            Tree.of("x", Type.f32(2, N, D), "key", Type.i32(2, 2)),
            in ->
                Tree.leaf(
                    Vmap.vmapToArray(t -> a.perturb(smooth(), t.get("x"), t.get("key")), in)));
    double[] mapped =
        Reference.evaluate(p.graph(), List.of(both, new double[] {0, 5, 0, 6})).getFirst();
    assertThat(Arrays.copyOf(mapped, N * D)).isEqualTo(run(a, smooth(), first, Key.of(5)));
    assertThat(Arrays.copyOfRange(mapped, N * D, 2 * N * D))
        .isEqualTo(run(a, smooth(), second, Key.of(6)));
  }

  @Test
  void namesAndHyperparametersArePrinted() {
    Attacks.Options o = Attacks.Options.eps(8 / 255.0);
    assertThat(Attacks.named("pgd", o))
        .hasToString("pgd-10 Linf(8/255) step 2.5 eps/10 random start");
    assertThat(Attacks.named("PGD-40", o.withStep(0.01)))
        .hasToString("pgd-40 Linf(8/255) step 0.01 random start");
    assertThat(Attacks.named("fgsm-rs", o)).hasToString("fgsm-rs Linf(8/255) step 1.25 eps");
    assertThat(Attacks.named("pgd-l2-7", Attacks.Options.eps(0.5).withRestarts(3)))
        .hasToString("pgd-7 L2(0.5) step 2.5 eps/7 random start x 3 restarts");
    assertThat(Attacks.named("apgd-l2-100", Attacks.Options.eps(0.5)))
        .hasToString("apgd-100 L2(0.5) random start");
    assertThat(Attacks.names()).allSatisfy(n -> assertThat(Attacks.named(n, o)).isNotNull());
  }

  @Test
  void mistakesGetOneSentence() {
    Attacks.Options o = Attacks.Options.eps(8 / 255.0);
    assertThatThrownBy(() -> Attacks.named("pdg", o))
        .hasMessage(
            "unknown attack 'pdg'; did you mean 'pgd'? (one of: none, fgsm, fgsm-rs, pgd,"
                + " pgd-l2, apgd, apgd-l2, mi-fgsm)");
    assertThatThrownBy(() -> Attacks.named("pgd", Attacks.Options.eps(8)))
        .hasMessage(
            "the attack's eps is 8.0, but it must be from 0 to 1; pixels lie in [0,1], so write"
                + " 8/255, not 8");
    assertThatThrownBy(() -> new L2(-1)).hasMessageContaining("eps is -1.0");
    assertThatThrownBy(() -> Attacks.named("pgd-0", o))
        .hasMessage("pgd needs at least 1 step, not 0");
    assertThatThrownBy(() -> Attacks.named("apgd-0", o))
        .hasMessage("apgd needs at least 1 step, not 0");
  }
}
