package dev.vauban.tensor.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.Vmap;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ProfileTest {
  @AfterEach
  void off() {
    Profile.enable(false);
    Profile.reset();
  }

  @Test
  void everyCallOfAKernelIsCounted() {
    Program program =
        Program.trace(
            Tree.of("a", Type.f32(6, 17, 19), "b", Type.f32(19, 23)),
            in ->
                Tree.<Expr>empty()
                    .with(
                        "c",
                        Vmap.vmapToArray(
                            t -> t.get("a").matmul(in.get("b")), Tree.of("a", in.get("a")))));
    try (CpuDevice device = CpuDevice.open(2, CpuDevice.Kernels.BEST);
        Scope scope = Scope.open()) {
      run(device, program, scope);
      assertThat(products()).isEmpty();
      Profile.enable(true);
      run(device, program, scope);
      List<Profile.Row> rows = products();
      assertThat(rows).hasSize(1);
      assertThat(rows.getFirst().calls()).isEqualTo(5 * 6);
      assertThat(rows.getFirst().flops()).isEqualTo(5L * 6 * 2 * 17 * 19 * 23);
      assertThat(rows.getFirst().seconds()).isPositive();
    }
  }

  private static void run(CpuDevice device, Program program, Scope scope) {
    try (Plan plan = device.compile(program)) {
      Plan.Bound bound =
          plan.bind(scope.tensors(program.inputs()), scope.tensors(program.outputs()));
      for (int i = 0; i < 5; i++) {
        bound.run();
      }
    }
  }

  private static List<Profile.Row> products() {
    return Profile.rows().stream().filter(r -> r.kernel().contains("[17,19]")).toList();
  }
}
