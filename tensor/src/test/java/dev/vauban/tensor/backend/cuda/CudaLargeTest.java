package dev.vauban.tensor.backend.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vauban.tensor.ConvOp;
import dev.vauban.tensor.DType;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.IndexOp;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.OpCase;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.ReduceOp;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.Window;
import dev.vauban.tensor.backend.reference.Reference;
import dev.vauban.tensor.golden.Runs;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** What only larger arrays reach: sums in parts, shared tiles, sorting step by step. */
class CudaLargeTest {
  /**
   * A row.
   *
   * @param kernels beginnings of the names of kernels that must run, with their launches
   */
  private record Row(
      String name,
      List<Type> types,
      OpCase.Domain domain,
      Function<List<Expr>, Expr> f,
      Map<String, Integer> kernels,
      double tolerance) {
    Program program() {
      Tree<Type> in = Tree.empty();
      for (int i = 0; i < types.size(); i++) {
        in = in.with(Integer.toString(i), types.get(i));
      }
      return Program.trace(in, t -> Tree.of("y", f.apply(t.leaves())));
    }
  }

  private static Row sum(String name, Type x, int[] axes, int launches) {
    return new Row(
        name,
        List.of(x),
        OpCase.Domain.REAL,
        in -> in.getFirst().sum(axes),
        Map.of("sum", launches),
        1e-6);
  }

  private static Row order(ReduceOp.Order order, DType type, int k, int steps) {
    return new Row(
        "first " + k + " " + order + " of " + type,
        List.of(Type.of(type, 2, 5000, 3)),
        type == DType.I32 ? OpCase.Domain.BITS : OpCase.Domain.SPARSE,
        in -> Expr.of(new ReduceOp.ArgSort(1, order, k), in),
        steps == 0 ? Map.of("argSort", 1) : Map.of("sortStep", steps, "sortChunk", 4),
        0);
  }

  private static List<Row> rows() {
    List<Row> rows = new ArrayList<>();
    rows.add(sum("all of many", Type.f32(300_000), new int[] {0}, 2));
    rows.add(sum("long rows", Type.f32(3, 70_001), new int[] {1}, 2));
    rows.add(sum("long columns", Type.f32(20_011, 7), new int[] {0}, 2));
    rows.add(sum("columns of channels", Type.f32(40, 900, 33), new int[] {0, 1}, 2));
    rows.add(sum("channels of tasks", Type.f32(5, 700, 64), new int[] {1}, 2));
    rows.add(sum("many short rows", Type.f32(9000, 5), new int[] {1}, 1));
    rows.add(sum("many rows", Type.f32(3000, 100), new int[] {1}, 1));
    rows.add(sum("doubles", Type.of(DType.F64, 100_000), new int[] {0}, 2));
    rows.add(
        new Row(
            "maximum of whole numbers",
            List.of(Type.i32(100_000)),
            OpCase.Domain.BITS,
            in -> in.getFirst().maxOver(0),
            Map.of("sum", 2),
            0));
    for (ReduceOp.Order o : ReduceOp.Order.values()) {
      rows.add(order(o, DType.F32, 5000, 6));
      rows.add(order(o, DType.F32, 17, 6));
      rows.add(order(o, DType.I32, 5000, 6));
      rows.add(order(o, DType.F64, 100, 0));
    }
    for (ReduceOp.Kind k : List.of(ReduceOp.Kind.MAX, ReduceOp.Kind.MIN)) {
      for (DType t : List.of(DType.F32, DType.I32)) {
        rows.add(
            new Row(
                "place of the " + k + " of " + t,
                List.of(Type.of(t, 2, 3000, 2)),
                t == DType.I32 ? OpCase.Domain.BITS : OpCase.Domain.REAL,
                in -> Expr.of(new ReduceOp.ArgReduce(k, 1), in),
                Map.of("argReduce", 1),
                0));
      }
    }
    rows.add(
        new Row(
            "a product with many terms",
            List.of(Type.f32(20, 3001), Type.f32(3001, 36)),
            OpCase.Domain.REAL,
            in -> in.get(0).matmul(in.get(1)),
            Map.of("product", 1, "sum", 1),
            1e-5));
    rows.add(
        new Row(
            "large tiles",
            List.of(Type.f32(1500, 20), Type.f32(20, 1500)),
            OpCase.Domain.REAL,
            in -> in.get(0).matmul(in.get(1)),
            Map.of("product", 1),
            1e-6));
    rows.add(
        new Row(
            "largest tiles, turned",
            List.of(Type.f32(12, 2100), Type.f32(1200, 12)),
            OpCase.Domain.REAL,
            in ->
                in.get(0).contract(in.get(1), new int[0], new int[0], new int[] {0}, new int[] {1}),
            Map.of("product", 1),
            1e-6));
    for (int places : new int[] {40, 3000}) {
      rows.add(
          new Row(
              "scatter to " + places + " places",
              List.of(Type.f32(2, 3000, 3), Type.f32(3000)),
              OpCase.Domain.REAL,
              in ->
                  Expr.of(
                      new IndexOp.ScatterAdd(1, places),
                      List.of(
                          in.get(0),
                          in.get(1).abs().mul((places - 1) / 2.0).floor().cast(DType.I32))),
              places == 40 ? Map.of("scatter", 1) : Map.of("scatterSorted", 1, "argSort", 1),
              1e-5));
    }
    for (int channels : new int[] {1, 3, 8}) {
      rows.add(
          new Row(
              "gradient of images of " + channels + " channels",
              List.of(Type.f32(2, 9, 9, 8), Type.f32(3, 3, channels, 8)),
              OpCase.Domain.REAL,
              in ->
                  Expr.of(
                      new ConvOp.InputGradient(Window.of(1, 1), 1, Shape.of(2, 9, 9, channels)),
                      in),
              Map.of("product", 1),
              1e-5));
    }
    rows.add(
        new Row(
            "a kernel's gradient from many pixels",
            List.of(Type.f32(4, 16, 16, 4), Type.f32(4, 16, 16, 8)),
            OpCase.Domain.REAL,
            in -> Expr.of(new ConvOp.KernelGradient(Window.of(1, 1), 1, Shape.of(3, 3, 4, 8)), in),
            Map.of("product", 1, "sum", 1),
            1e-5));
    return rows;
  }

  @TestFactory
  Stream<DynamicTest> rowsGiveTheReferencesResults() {
    CudaDevice device = FakeCard.open();
    FakeCard.prepare(device, rows().stream().map(Row::program));
    return rows().stream()
        .map(r -> DynamicTest.dynamicTest(r.name(), () -> check(device, r)))
        .onClose(device::close);
  }

  private static void check(CudaDevice device, Row r) {
    Program p = r.program();
    try (Scope scope = Scope.open();
        Plan plan = device.compile(p)) {
      int[] i = {0};
      Tree<Tensor> in =
          p.inputs()
              .map(t ->
                  scope
                      .tensor(t)
                      .set(r.domain().values(Key.of(3).fold(i[0]++), (int) t.shape().size())));
      double[] actual = plan.run(scope, in).get("y").toDoubles();
      assertThat(FakeCard.backwards(plan, scope, in).get("y").toDoubles()).isEqualTo(actual);
      double[] expected =
          Reference.evaluate(p.graph(), in.leaves().stream().map(Tensor::toDoubles).toList())
              .getFirst();
      Runs.assertClose(r.name(), actual, expected, r.tolerance());
      Map<String, Integer> launches = new LinkedHashMap<>();
      for (Step s : ((CudaPlan) plan).code().steps()) {
        ((Step.Kernels) s)
            .launches()
            .forEach(l -> launches.merge(l.kernel().name().replaceAll("_.*", ""), 1, Integer::sum));
      }
      assertThat(launches).containsAllEntriesOf(r.kernels());
    }
  }
}
