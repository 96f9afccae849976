package dev.vauban.adversarial;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Tree;
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
    assertThat(actual).hasSameSizeAs(expected);
    for (int i = 0; i < expected.length; i++) {
      assertThat(actual[i]).as("element %d", i).isCloseTo(expected[i], within(TOLERANCE));
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
}
