package dev.vauban.adversarial;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.vauban.nn.Batch;
import dev.vauban.nn.Loss;
import dev.vauban.nn.Losses;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Grad;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.golden.GoldenCase;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** Robust losses and their gradients against the reference values, in double. */
class GoldenDefenceTest {
  private static final double TOLERANCE = 1e-9;
  private final AttackNet net = new AttackNet();

  private static void assertClose(double[] actual, double[] expected) {
    assertThat(actual).hasSameSizeAs(expected);
    for (int i = 0; i < expected.length; i++) {
      assertThat(actual[i]).as("element %d", i).isCloseTo(expected[i], within(TOLERANCE));
    }
  }

  /** The loss against {@code value}, its gradient at the network's weights against {@code g.*}. */
  private void assertLossAndGradient(
      GoldenCase g, double value, Function<Expr, Loss> lossFromStart, double[] start) {
    List<double[]> out =
        net.run(
            in -> {
              Loss loss = lossFromStart.apply(in.get("start"));
              Batch<Expr> b = new Batch<>(in.get("x"), in.get("y"), in.get("key"));
              Grad.Result r = Grad.valueAndGrad(w -> loss.of(w, b), in.sub("w"));
              return r.gradient().with("loss", r.value());
            },
            start);
    assertClose(out.get(net.leaves.size()), new double[] {value});
    for (int i = 0; i < net.leaves.size(); i++) {
      assertClose(out.get(i), net.weight(g, "g." + net.leaves.get(i)));
    }
  }

  /** The case's inner attack from the case's own noise. */
  private static Attack fixedStart(GoldenCase g, int steps, Expr start) {
    Pgd pgd = new Pgd(new Linf(g.attr("eps")), Expr.scalar(g.attr("step")), steps, Start.IMAGE);
    return (loss, x, key) -> pgd.ascendFrom(loss, x, start);
  }

  private static double[] start(AttackNet net, GoldenCase g) {
    double[] x = net.setup.images("x");
    double[] noise = g.images("noise");
    for (int i = 0; i < x.length; i++) {
      x[i] += noise[i];
    }
    return x;
  }

  @Test
  void tradesTrajectoryLossAndGradient() {
    GoldenCase g = GoldenCase.of("adv/trades");
    double[] start = start(net, g);
    double[] all = g.images("trajectory");
    for (int steps = 1; steps <= g.count("steps"); steps++) {
      int n = steps;
      double[] adv =
          net.run(
                  in -> {
                    Expr clean = AttackNet.logits(in.sub("w"), in.get("x"));
                    return Tree.leaf(
                        fixedStart(g, n, in.get("start"))
                            .perturb(
                                x -> Trades.divergence(clean, AttackNet.logits(in.sub("w"), x)),
                                in.get("x"),
                                in.get("key")));
                  },
                  start)
              .getFirst();
      assertClose(adv, Arrays.copyOfRange(all, (n - 1) * net.elements(), n * net.elements()));
    }
    assertLossAndGradient(
        g,
        g.get("loss")[0],
        s -> new Trades(AttackNet::logits, fixedStart(g, g.count("steps"), s), g.attr("beta")),
        start);
  }

  @Test
  void martLossAndGradient() {
    GoldenCase g = GoldenCase.of("adv/mart");
    assertLossAndGradient(
        g,
        g.get("loss")[0],
        s -> new Mart(AttackNet::logits, fixedStart(g, g.count("steps"), s), g.attr("beta")),
        start(net, g));
  }

  @Test
  void inputGradientPenalty() {
    GoldenCase g = GoldenCase.of("adv/input_grad_penalty");
    Loss clean = (w, b) -> Losses.crossEntropy(AttackNet.logits(w, b.x()), b.y()).mean();
    double weight = g.attr("weight");
    assertLossAndGradient(
        g,
        g.get("loss")[0] + weight * g.get("penalty")[0],
        s -> new InputGradientPenalty(weight).apply(clean),
        new double[net.elements()]);
  }
}
