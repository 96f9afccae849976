package dev.vauban.tensor.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.Vmap;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** What plans count as bytes read and written. Needs no card. */
class TrafficTest {
  private static final int ROW = 1000;
  private static final long ARRAY = 4L * 200 * ROW;

  private static long traffic(Function<Expr, Expr> f) {
    Program p = Program.trace(Tree.leaf(Type.f32(200, ROW)), in -> Tree.leaf(f.apply(in.value())));
    return Lowering.program(p.graph(), new Choices(Choices.Precision.F32, false, false))
        .steps()
        .stream()
        .mapToLong(Step::traffic)
        .sum();
  }

  @Test
  void aFusedKernelReadsAndWritesEachArrayOnce() {
    assertThat(traffic(x -> x.mul(x).add(1).exp())).isEqualTo(2 * ARRAY);
    assertThat(traffic(x -> x.sum(1))).isEqualTo(ARRAY + 4 * 200);
  }

  @Test
  void aProductReadsBothFactors() {
    assertThat(traffic(x -> x.contract(x, new int[0], new int[0], new int[] {0}, new int[] {0})))
        .isEqualTo(ARRAY + 4 * ROW * ROW); // the same array twice is one
  }

  @Test
  void aLoopTakesItsBodysBytesInEveryStep() {
    assertThat(traffic(x -> Vmap.repeat(7, x, s -> s.mul(s).sin()))).isEqualTo(7 * 2 * ARRAY);
  }

  @Test
  void ofAnArrayOnlyThePartThatIsTakenCounts() {
    Expr rows = Expr.data(Type.i32(3), 5, 2, 9);
    assertThat(traffic(x -> x.gather(0, rows))).isEqualTo(2 * 3 * 4 * ROW);
  }
}
