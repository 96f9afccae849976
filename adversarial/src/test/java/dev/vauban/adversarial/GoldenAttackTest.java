package dev.vauban.adversarial;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.golden.GoldenCase;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole trajectories of the attacks against the reference values, in double. */
class GoldenAttackTest {
  private static final double TOLERANCE = 1e-9;
  private final AttackNet net = new AttackNet();

  /** What an attack does at the case's network, with the input {@code start} as its start. */
  private double[] adversarial(BiFunction<Expr, Expr, Attack> attack, double[] start) {
    return net.run(
            in -> {
              UnaryOperator<Expr> loss =
                  x -> AttackNet.crossEntropy(AttackNet.logits(in.sub("w"), x), in.get("y"));
              Attack a = attack.apply(in.get("x"), in.get("start"));
              return Tree.leaf(a.perturb(loss, in.get("x"), in.get("key")));
            },
            start)
        .getFirst();
  }

  private static void assertClose(double[] actual, double[] expected) {
    assertClose(actual, expected, TOLERANCE);
  }

  private static void assertClose(double[] actual, double[] expected, double tolerance) {
    assertThat(actual).hasSameSizeAs(expected);
    for (int i = 0; i < expected.length; i++) {
      assertThat(actual[i]).as("element %d", i).isCloseTo(expected[i], within(tolerance));
    }
  }

  @Test
  void logitsLossAndInputGradient() {
    List<double[]> out =
        net.run(
            in -> {
              UnaryOperator<Expr> loss =
                  x -> AttackNet.crossEntropy(AttackNet.logits(in.sub("w"), x), in.get("y"));
              Expr x = in.get("x");
              return Tree.of(
                  "logits", AttackNet.logits(in.sub("w"), x),
                  "loss", loss.apply(x),
                  "gradient", Attack.ascent(loss, x));
            },
            new double[net.elements()]);
    assertClose(out.get(0), net.setup.get("logits"));
    assertClose(out.get(1), net.setup.get("loss"));
    assertClose(out.get(2), net.setup.images("grad_x"));
  }

  @Test
  void fgsm() {
    GoldenCase g = GoldenCase.of("adv/fgsm");
    double[] adv =
        adversarial((x, s) -> new Fgsm(new Linf(g.attr("eps"))), new double[net.elements()]);
    assertClose(adv, g.images("x_adv"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"pgd_linf_from_x", "pgd_linf_from_start", "pgd_l2_from_x", "pgd_l2_from_start"})
  void everyIterateOfPgd(String name) {
    GoldenCase g = GoldenCase.of("adv/" + name);
    double eps = g.attr("eps");
    Ball ball = name.contains("l2") ? new L2(eps) : new Linf(eps);
    double[] all = g.images("trajectory");
    for (int steps = 1; steps <= g.count("steps"); steps++) {
      int n = steps;
      double[] adv =
          adversarial(
              (x, start) ->
                  (loss, image, key) ->
                      new Pgd(ball, Expr.scalar(g.attr("alpha")), n, Start.IMAGE)
                          .ascendFrom(loss, image, start),
              g.images("start"));
      assertClose(adv, Arrays.copyOfRange(all, (n - 1) * net.elements(), n * net.elements()));
    }
  }

  @Test
  void everyIterateOfMomentumFgsm() {
    GoldenCase g = GoldenCase.of("adv/mifgsm");
    double[] all = g.images("trajectory");
    for (int steps = 1; steps <= g.count("steps"); steps++) {
      int n = steps;
      Ball ball = new Linf(g.attr("eps"));
      Attack attack = new MiFgsm(ball, Expr.scalar(g.attr("alpha")), n, g.attr("decay"));
      double[] adv = adversarial((x, s) -> attack, new double[net.elements()]);
      assertClose(adv, Arrays.copyOfRange(all, (n - 1) * net.elements(), n * net.elements()));
    }
  }

  /**
   * Best points, their losses and the last misclassified points. An image is compared if its
   * gradient is well conditioned to the end.
   */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "apgd_ce_linf",
        "apgd_dlr_linf",
        "apgd_dlr_linf_small",
        "apgd_dlrt_linf",
        "apgd_ce_l2",
        "apgd_ce_linf_100",
        "apgd_dlr_l2_100"
      })
  void apgd(String name) {
    GoldenCase g = GoldenCase.of("adv/" + name);
    int steps = g.count("n_iter");
    double eps = g.attr("eps");
    Ball ball = name.contains("l2") ? new L2(eps) : new Linf(eps);
    String kind = g.list("loss").getFirst();
    int n = net.images.dim(0);
    List<double[]> out =
        net.run(
            in -> {
              Expr y = in.get("y");
              Expr target = Expr.data(Type.i32(n), g.get("target"));
              UnaryOperator<Expr> logits = x -> AttackNet.logits(in.sub("w"), x);
              UnaryOperator<Expr> loss =
                  switch (kind) {
                    case "ce" -> x -> AttackNet.crossEntropy(logits.apply(x), y);
                    case "dlr" -> x -> Dlr.of(logits.apply(x), y);
                    default -> x -> Dlr.targeted(logits.apply(x), y, target);
                  };
              Apgd.Found f =
                  new Apgd(ball, steps)
                      .search(loss, x -> Dlr.of(logits.apply(x), y), in.get("x"), in.get("start"));
              return Tree.of("best", f.best(), "loss", f.loss(), "fooling", f.fooling());
            },
            net.setup.images("x"));
    double[] best = g.images("x_best");
    double[] fooling = g.images("x_best_adv");
    int d = net.elements() / n;
    int compared = 0;
    // A hundred steps along this loss in L2 turn a last bit into 1e-8.
    double allowed = name.equals("apgd_dlr_l2_100") ? 1e-7 : TOLERANCE;
    for (int i = 0; i < n; i++) {
      if (g.get("valid_until")[i] >= steps) {
        compared++;
        int from = i * d;
        assertClose(part(out.get(0), from, d), part(best, from, d), allowed);
        assertThat(out.get(1)[i]).isCloseTo(g.get("loss_best")[i], within(allowed));
        assertClose(part(out.get(2), from, d), part(fooling, from, d), allowed);
      }
    }
    assertThat(compared).isGreaterThanOrEqualTo(4);
  }

  private static double[] part(double[] all, int from, int length) {
    return Arrays.copyOfRange(all, from, from + length);
  }

  /** On a trained network, with as many gradients, over all images and three starts. */
  @ParameterizedTest
  @ValueSource(strings = {"linf", "l2"})
  void apgdIsNoWeakerThanPgd(String norm) {
    Ball ball = norm.equals("l2") ? new L2(0.5) : new Linf(8 / 255.0);
    List<double[]> out =
        net.run(
            in -> {
              UnaryOperator<Expr> loss =
                  x -> AttackNet.crossEntropy(AttackNet.logits(in.sub("w"), x), in.get("y"));
              Attack apgd = new Apgd(ball, 30);
              Attack pgd = new Pgd(ball, 31);
              Tree<Expr> all = Tree.empty();
              for (int i = 0; i < 3; i++) {
                Expr key = in.get("key").fold(i);
                all =
                    all.with("apgd" + i, loss.apply(apgd.perturb(loss, in.get("x"), key)))
                        .with("pgd" + i, loss.apply(pgd.perturb(loss, in.get("x"), key)));
              }
              return all;
            },
            new double[net.elements()]);
    double apgd = 0;
    double pgd = 0;
    for (int i = 0; i < out.size(); i += 2) {
      for (int n = 0; n < out.get(i).length; n++) {
        apgd += out.get(i)[n];
        pgd += out.get(i + 1)[n];
      }
    }
    assertThat(apgd).isGreaterThanOrEqualTo(pgd);
  }
}
