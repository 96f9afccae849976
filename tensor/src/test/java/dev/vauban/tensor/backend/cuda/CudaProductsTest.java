package dev.vauban.tensor.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vauban.tensor.DType;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.ProgramCheck;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Products of every kind of tile, each factor stored by rows and by columns, with sizes that are
 * multiples of four and that are not.
 */
class CudaProductsTest {
  /** What multiplies. */
  private enum Unit {
    F32(Choices.Precision.F32, DType.F32, "product_", 1e-5),
    F64(Choices.Precision.F32, DType.F64, "product_", 1e-5),
    BF16(Choices.Precision.F32, DType.BF16, "mmaBf16_", 1e-5),
    TF32(Choices.Precision.TF32, DType.F32, "mmaTf32_", 4e-3);

    private final Choices.Precision precision;
    private final DType type;
    private final String kernel;
    private final double tolerance;

    Unit(Choices.Precision precision, DType type, String kernel, double tolerance) {
      this.precision = precision;
      this.type = type;
      this.kernel = kernel;
      this.tolerance = tolerance;
    }
  }

  /** Rows, columns, terms: for each tile one that fills it and one that does not. */
  private static final int[][] SIZES = {
    {9, 64, 40},
    {16, 68, 27},
    {3, 70, 8}, // few rows
    {64, 3, 9},
    {70, 4, 20},
    {33, 16, 33},
    {130, 12, 7}, // few columns
    {64, 64, 16},
    {40, 36, 5},
    {65, 67, 31},
    {72, 128, 3},
    {20, 36, 600}, // terms in parts
  };

  private static Program program(Unit unit, int[] size, boolean aTurned, boolean bTurned) {
    int m = size[0];
    int n = size[1];
    int k = size[2];
    Type a = aTurned ? Type.f32(2, k, m) : Type.f32(2, m, k);
    Type b = bTurned ? Type.f32(2, n, k) : Type.f32(2, k, n);
    int[] batch = {0};
    return Program.trace(
        Tree.of("a", a, "b", b),
        in -> {
          Expr x = in.get("a").cast(unit.type);
          Expr y = in.get("b").cast(unit.type);
          int[] left = {aTurned ? 1 : 2};
          int[] right = {bTurned ? 2 : 1};
          return Tree.of("c", x.contract(y, batch, batch, left, right).cast(DType.F32));
        });
  }

  /**
   * Shared memory has 32 banks of a word: what the threads of a warp read at once must lie in
   * different ones, and pieces of four words begin at multiples of four.
   */
  @Test
  void aWarpReadsFragmentsFromAllBanks() {
    for (int side : new int[] {16, 64}) {
      for (int words : new int[] {8, 16}) {
        for (boolean termsLie : new boolean[] {true, false}) {
          Products.Shared tile = Products.shared("as", side, words, termsLie);
          Set<Integer> banks = new HashSet<>();
          for (int lane = 0; lane < 32; lane++) {
            banks.add(tile.index(lane / 4, lane % 4) % 32); // as the PTX manual places fragments
          }
          assertThat(banks).as("%d x %d, %s", side, words, termsLie).hasSize(32);
          for (int four = 0; four < 4; four++) {
            assertThat(termsLie ? tile.index(four, 4) : tile.index(4, four))
                .matches(index -> index % 4 == 0);
          }
        }
      }
    }
  }

  /** What a thread stores in shared memory it must not find there before the barrier. */
  private static void checkBackwards(Program p, CudaDevice device) {
    try (Scope scope = Scope.open();
        Plan plan = device.compile(p)) {
      Tree<Tensor> in = ProgramCheck.inputs(scope, p.inputs(), 3);
      double[] forwards = plan.run(scope, in).get("c").toDoubles();
      assertThat(FakeCard.backwards(plan, scope, in).get("c").toDoubles()).isEqualTo(forwards);
    }
  }

  @ParameterizedTest
  @EnumSource
  void tilesGiveTheReferencesResults(Unit unit) {
    Map<String, Program> programs = new LinkedHashMap<>();
    for (int[] size : SIZES) {
      for (int turned = 0; turned < 4; turned++) {
        programs.put(
            List.of(size[0], size[1], size[2]) + " turned " + turned,
            program(unit, size, turned % 2 == 1, turned / 2 == 1));
      }
    }
    try (CudaDevice device = FakeCard.open(unit.precision)) {
      FakeCard.prepare(device, programs.values().stream());
      List<String> wrong = new ArrayList<>();
      programs.forEach((name, p) -> {
        assertThat(Lowering.program(p.graph(), device.card().choices()).kernels().keySet())
            .as(name)
            .anyMatch(kernel -> kernel.startsWith(unit.kernel));
        try {
          ProgramCheck.check(p, 3, device, unit.tolerance);
          checkBackwards(p, device);
        } catch (AssertionError e) {
          wrong.add(name + ": " + e.getMessage().lines().findFirst().orElse(""));
        }
      });
      assertThat(wrong).isEmpty();
    }
  }
}
