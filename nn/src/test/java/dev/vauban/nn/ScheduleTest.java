package dev.vauban.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.golden.Runs;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Schedules and gradient clipping. */
class ScheduleTest {
  private static double at(Schedule s, int step) {
    Program p = Program.trace(Tree.of("k", Type.i32()), t -> Tree.of("r", s.at(t.get("k"))));
    return Runs.reference(p, Map.of("k", new double[] {step})).get("r")[0];
  }

  @Test
  void cosine() {
    Schedule s = Schedule.cosine(1e-3, 1e-5, 100);
    assertThat(at(s, 0)).isEqualTo(1e-3);
    assertThat(at(s, 50)).isCloseTo((1e-3 + 1e-5) / 2, within(1e-12));
    assertThat(at(s, 25)).isCloseTo(1e-5 + 0.5 * 9.9e-4 * (1 + Math.sqrt(0.5)), within(1e-12));
    assertThat(at(s, 100)).isCloseTo(1e-5, within(1e-18));
    assertThat(at(s, 1_000_000)).isCloseTo(1e-5, within(1e-18));
  }

  @Test
  void steps() {
    Schedule s = Schedule.steps(0.1, 0.5, 20);
    assertThat(at(s, 0)).isCloseTo(0.1, within(1e-15));
    assertThat(at(s, 19)).isCloseTo(0.1, within(1e-15));
    assertThat(at(s, 20)).isCloseTo(0.05, within(1e-15));
    assertThat(at(s, 60)).isCloseTo(0.0125, within(1e-15));
  }

  @Test
  void warmUp() {
    Schedule s = Schedule.constant(0.4).warmedUp(4);
    assertThat(at(s, 0)).isCloseTo(0.1, within(1e-15));
    assertThat(at(s, 2)).isCloseTo(0.3, within(1e-15));
    assertThat(at(s, 3)).isCloseTo(0.4, within(1e-15));
    assertThat(at(s, 50)).isCloseTo(0.4, within(1e-15));
    assertThatThrownBy(() -> s.warmedUp(0)).hasMessage("warm-up: at least 1 step, not 0");
  }

  private static Map<String, double[]> clipped(
      java.util.function.UnaryOperator<Tree<Expr>> f, double... g) {
    Tree<Type> t = Tree.of("a", Type.f32(2), "b", Type.f32());
    Program p = Program.trace(t, f::apply);
    double[] a = {g[0], g[1]};
    return Runs.reference(p, Map.of("a", a, "b", new double[] {g[2]}));
  }

  @Test
  void clipping() {
    Map<String, double[]> small = clipped(g -> Clip.byGlobalNorm(g, 10), 1, 2, 2);
    assertThat(small.get("a")).containsExactly(1, 2);
    Map<String, double[]> large = clipped(g -> Clip.byGlobalNorm(g, 1.5), 1, 2, 2);
    assertThat(large.get("a")[0]).isCloseTo(0.5, within(1e-6));
    assertThat(large.get("b")[0]).isCloseTo(1, within(1e-6));
    Map<String, double[]> zero = clipped(g -> Clip.byGlobalNorm(g, 1.5), 0, 0, 0);
    assertThat(zero.get("a")).containsExactly(0, 0);
    Map<String, double[]> value = clipped(g -> Clip.byValue(g, 1.5), -7, 1, 2);
    assertThat(value.get("a")).containsExactly(-1.5, 1);
    assertThat(value.get("b")).containsExactly(1.5);
    assertThatThrownBy(() -> clipped(g -> Clip.byValue(g, 0), 1, 2, 3))
        .hasMessage("clipping: the limit is more than 0, not 0.0");
  }

  @Test
  void anOptimizerStepsOnClippedElements() {
    Tree<Type> one = Tree.of("a", Type.f32(2));
    Tree<Type> types = Tree.<Type>empty().with("w", one).with("g", one);
    Program p =
        Program.trace(
            types,
            in ->
                Optimizers.sgd(0.5)
                    .clippedByValue(2)
                    .update(in.sub("w"), in.sub("g"), Tree.empty(), Expr.scalar(0))
                    .weights());
    Map<String, double[]> out =
        Runs.reference(p, Map.of("w/a", new double[] {1, 1}, "g/a", new double[] {-7, 1}));
    assertThat(out.get("a")).containsExactly(2, 0.5);
  }

  @Test
  void optimizersByNameHaveTheUsualConstants() {
    Schedule rate = Schedule.constant(0.01);
    assertThat(Optimizers.rmsProp(rate)).isEqualTo(new RmsProp(rate, 0.99, 1e-8));
    assertThat(Optimizers.adagrad(rate)).isEqualTo(new Adagrad(rate, 1e-10));
  }

  @Test
  void constantsOutOfRange() {
    assertThatThrownBy(() -> Optimizers.momentum(Schedule.constant(1), 1, 0))
        .hasMessage("momentum is at least 0 and less than 1, not 1.0");
    assertThatThrownBy(() -> Optimizers.adamW(Schedule.constant(1), -1))
        .hasMessage("weight decay is at least 0, not -1.0");
    assertThatThrownBy(() -> Schedule.cosine(1, 0, 0))
        .hasMessage("cosine schedule: at least 1 step, not 0");
  }
}
