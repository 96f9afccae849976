package dev.vauban.nn;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vauban.tensor.DType;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Grad;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.backend.cuda.CudaDevice;
import dev.vauban.tensor.backend.cuda.FakeCard;
import dev.vauban.tensor.golden.Golden;
import dev.vauban.tensor.golden.Runs;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Every operation of the reference values: value, first and second gradients. For inputs in, output
 * y and cotangent gy, the values are y, g = d sum(y gy) / d in, and gg = d sum(g v) / d (in, gy).
 */
class GoldenOpsTest {
  /** Sums of products of doubles, at most some thousand terms. */
  private static final double IN_DOUBLE = 1e-9;

  /** F32 has 24 bits; second derivatives cancel a few of them. */
  private static final double IN_FLOAT = 2e-4;

  @TestFactory
  Stream<DynamicTest> reference() {
    return cases().map(c -> DynamicTest.dynamicTest(c.name(), () -> check(c, null, IN_DOUBLE)));
  }

  @TestFactory
  Stream<DynamicTest> cpu() {
    return cases()
        .map(c ->
            DynamicTest.dynamicTest(
                c.name(),
                () -> {
                  try (Device cpu = Device.open("cpu:1")) {
                    check(c, cpu, IN_FLOAT);
                  }
                }));
  }

  /** The generated kernels, on a card that is the processor. */
  @TestFactory
  Stream<DynamicTest> cuda() {
    CudaDevice card = FakeCard.open();
    FakeCard.prepare(card, cases().map(c -> trace(c).program()));
    return cases()
        .map(c -> DynamicTest.dynamicTest(c.name(), () -> check(c, card, IN_FLOAT)))
        .onClose(card::close);
  }

  private static Stream<Golden.Case> cases() {
    return Golden.open().in("ops.bin").stream()
        .filter(c -> !c.op().equals("batch_norm_running_update"));
  }

  @Test
  void everyCaseHasAnOperation() {
    assertThat(cases().filter(c -> GoldenOps.of(c) == null).map(Golden.Case::name)).isEmpty();
  }

  @TestFactory
  Stream<DynamicTest> runningStatistics() {
    return Golden.open().in("ops.bin").stream()
        .filter(c -> c.op().equals("batch_norm_running_update"))
        .map(c -> DynamicTest.dynamicTest(c.name(), () -> runningStatistics(c)));
  }

  private static void runningStatistics(Golden.Case c) {
    Golden.Array x = c.array("in.x");
    Golden.Array ours = x.shape().rank() == 4 ? x.images() : x;
    int channels = ours.shape().dim(-1);
    double momentum = c.attrs().get("momentum").asDouble();
    Tree<Type> types =
        Tree.of("x", new Type(DType.F32, ours.shape()), "m", Type.f32(channels))
            .with("v", Type.f32(channels));
    Program p =
        Program.trace(
            types,
            t -> {
              Expr mean = Normalize.batchMean(t.get("x"));
              Expr variance = Normalize.batchVariance(t.get("x"));
              return Tree.of(
                  "m", Normalize.running(t.get("m"), mean, momentum),
                  "v", Normalize.running(t.get("v"), variance, momentum));
            });
    Map<String, double[]> out =
        Runs.reference(
            p,
            Map.of(
                "x", ours.values(),
                "m", c.array("running_mean").values(),
                "v", c.array("running_var").values()));
    Runs.assertClose("mean", out.get("m"), c.array("new_running_mean").values(), IN_DOUBLE);
    Runs.assertClose("variance", out.get("v"), c.array("new_running_var").values(), IN_DOUBLE);
  }

  /** A case as a program of its value and gradients, with its inputs. */
  private record Traced(
      Golden.Case c,
      GoldenOps.Op op,
      Program program,
      Map<String, double[]> values,
      List<String> smooth,
      List<String> outputs) {}

  private static Traced trace(Golden.Case c) {
    GoldenOps.Op op = GoldenOps.of(c);
    assertThat(op).as("operation for " + c.op()).isNotNull();
    Tree<Type> types = Tree.empty();
    Map<String, double[]> values = new LinkedHashMap<>();
    List<String> smooth = new ArrayList<>();
    for (String in : GoldenOps.inputs(c)) {
      types = input(types, values, c, op, "in", in);
      if (c.has("g." + in)) {
        smooth.add(in);
        types = input(types, values, c, op, "v", in);
      }
    }
    List<String> outputs = c.has("y") ? List.of("") : numbered(c);
    for (String k : outputs) {
      types = input(types, values, c, op, "gy" + k, "y");
    }
    Program program = Program.trace(types, in -> derivatives(c, op, in, smooth, outputs));
    return new Traced(c, op, program, values, smooth, outputs);
  }

  /** Compares a case's values on {@code device}, or by the reference where it is null. */
  private static void check(Golden.Case c, Device device, double tolerance) {
    Traced t = trace(c);
    Map<String, double[]> results =
        device == null
            ? Runs.reference(t.program(), t.values())
            : Runs.device(device, t.program(), t.values());
    for (String k : t.outputs()) {
      compare(c, t.op(), results, "y" + k, "y", tolerance);
      compare(c, t.op(), results, "gg.gy" + k, "y", tolerance);
    }
    for (String in : t.smooth()) {
      compare(c, t.op(), results, "g." + in, in, tolerance);
      compare(c, t.op(), results, "gg." + in, in, tolerance);
    }
  }

  private static List<String> numbered(Golden.Case c) {
    return Stream.of("0", "1", "2").filter(k -> c.has("y" + k)).toList();
  }

  /** Adds an array to the program's inputs, as {@code prefix/name}. */
  private static Tree<Type> input(
      Tree<Type> types,
      Map<String, double[]> values,
      Golden.Case c,
      GoldenOps.Op op,
      String prefix,
      String name) {
    String array = prefix.startsWith("gy") ? prefix : prefix + "." + name;
    Golden.Array a =
        op.ours(name.startsWith("y") && prefix.equals("in") ? "" : name, c.array(array));
    values.put(prefix + "/" + name, a.values());
    Tree<Type> group = types.has(prefix) ? types.sub(prefix) : Tree.empty();
    Type type = new Type(a.integer() ? DType.I32 : DType.F32, a.shape());
    return types.with(prefix, group.with(name, type));
  }

  private static Tree<Expr> derivatives(
      Golden.Case c, GoldenOps.Op op, Tree<Expr> in, List<String> smooth, List<String> outputs) {
    Tree<Expr> point = Tree.empty();
    for (String name : smooth) {
      point = point.with(name, in.get("in/" + name));
    }
    Tree<Expr> cotangents = Tree.empty();
    for (String k : outputs) {
      cotangents = cotangents.with("gy" + k, in.get("gy" + k + "/y"));
    }
    List<Expr> y = apply(c, op, in, point);
    Tree<Expr> g = first(c, op, in, point, cotangents);
    Tree<Expr> both = Tree.<Expr>empty().with("in", point).with("gy", cotangents);
    Tree<Expr> gg =
        Grad.grad(
            at -> {
              Expr sum = Expr.scalar(0);
              Tree<Expr> inner = first(c, op, in, at.sub("in"), at.sub("gy"));
              for (String name : smooth) {
                sum = sum.add(inner.get(name).mul(in.get("v/" + name)).sum());
              }
              return sum;
            },
            both);
    Tree<Expr> out = Tree.empty();
    for (int i = 0; i < outputs.size(); i++) {
      out = out.with("y" + outputs.get(i), y.get(i));
      out = out.with("gg.gy" + outputs.get(i), gg.get("gy/gy" + outputs.get(i)));
    }
    for (String name : smooth) {
      out = out.with("g." + name, g.get(name)).with("gg." + name, gg.get("in/" + name));
    }
    return out;
  }

  private static Tree<Expr> first(
      Golden.Case c, GoldenOps.Op op, Tree<Expr> in, Tree<Expr> point, Tree<Expr> cotangents) {
    return Grad.grad(
        at -> {
          List<Expr> y = apply(c, op, in, at);
          List<Expr> gy = cotangents.leaves();
          Expr sum = Expr.scalar(0);
          for (int i = 0; i < y.size(); i++) {
            sum = sum.add(y.get(i).mul(gy.get(i)).sum());
          }
          return sum;
        },
        point);
  }

  private static List<Expr> apply(Golden.Case c, GoldenOps.Op op, Tree<Expr> in, Tree<Expr> point) {
    Map<String, Expr> args = new LinkedHashMap<>();
    in.sub("in").children().forEach((name, e) -> args.put(name, e.value()));
    point.children().forEach((name, e) -> args.put(name, e.value()));
    return op.f().apply(new GoldenOps.Args(c, args));
  }

  private static void compare(
      Golden.Case c,
      GoldenOps.Op op,
      Map<String, double[]> results,
      String array,
      String layout,
      double tolerance) {
    double[] expected = op.ours(layout, c.array(array)).values();
    Runs.assertClose(c + " " + array, results.get(array), expected, tolerance);
  }
}
