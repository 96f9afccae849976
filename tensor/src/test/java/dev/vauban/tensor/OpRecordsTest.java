package dev.vauban.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.vauban.tensor.PoolOp.PoolWindow;
import dev.vauban.tensor.ReduceOp.Kind;
import dev.vauban.tensor.ReduceOp.Order;
import dev.vauban.tensor.backend.reference.Reference;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Operations may be made without the methods of {@link Expr}. What no kernel is prepared for is
 * refused when the node is made, since kernels work on plain addresses and check nothing.
 */
class OpRecordsTest {
  private static final int HUGE = Integer.MAX_VALUE;

  private record Mistake(String message, Runnable trace) {
    @Override
    public String toString() {
      return message;
    }
  }

  private static Mistake mistake(String message, Runnable trace) {
    return new Mistake(message, trace);
  }

  private static Expr f32(int... dims) {
    return Expr.parameter(1, "x", Type.f32(dims));
  }

  private static Expr node(Op op, Expr... in) {
    return Expr.of(op, List.of(in));
  }

  private static Window dilated(int dilation) {
    return new Window(1, 1, 0, 0, 0, 0, dilation, dilation);
  }

  private static Stream<Mistake> reductions() {
    Expr x = f32(3, 4);
    String sorts = "argSort: an axis of an operation is 0 or more, not -1";
    return Stream.of(
        mistake(
            "reduce: axes rise from 0 or more, not [-1]",
            () -> node(new ReduceOp.Reduce(Kind.SUM, List.of(-1)), x)),
        mistake(
            "reduce: axes rise from 0 or more, not [1, 0]",
            () -> node(new ReduceOp.Reduce(Kind.SUM, List.of(1, 0)), x)),
        mistake("reduce: axes rise from 0 or more, not [1, 1]", () -> x.sum(1, -1)),
        mistake(
            "axis 2 is out of range for shape [3,4]",
            () -> node(new ReduceOp.Reduce(Kind.MAX, List.of(2)), x)),
        mistake(
            "variance: axes rise from 0 or more, not [0, -1]",
            () -> node(new ReduceOp.Variance(List.of(0, -1)), x)),
        mistake(
            "argReduce: an axis of an operation is 0 or more, not -1",
            () -> node(new ReduceOp.ArgReduce(Kind.MAX, -1), x)),
        mistake(
            "axis 2 is out of range for shape [3,4]",
            () -> node(new ReduceOp.ArgReduce(Kind.MIN, 2), x)),
        mistake(sorts, () -> node(new ReduceOp.ArgSort(-1, Order.ASCENDING, 2), x)),
        mistake(
            "argSort: k = -1 does not fit axis 1",
            () -> node(new ReduceOp.ArgSort(1, Order.ASCENDING, -1), x)),
        mistake(
            "axis 7 is out of range for shape [3,4]",
            () -> node(new ReduceOp.ArgSort(7, Order.DESCENDING, 1), x)));
  }

  private static Stream<Mistake> shapes() {
    Expr x = f32(3, 4);
    List<Integer> zeros = List.of(0, 0);
    List<Integer> ones = List.of(1, 1);
    return Stream.of(
        mistake(
            "transpose: [0, -1] is no permutation of the axes",
            () -> node(new ShapeOp.Transpose(List.of(0, -1)), x)),
        mistake(
            "transpose: [0] is no permutation of the axes",
            () -> node(new ShapeOp.Transpose(List.of(0)), x)),
        mistake(
            "broadcast: axes rise from 0 or more, not [-1]",
            () -> node(new ShapeOp.Broadcast(Shape.of(3, 4), List.of(-1)), f32(4))),
        mistake(
            "broadcast: axes rise from 0 or more, not [1, 0]",
            () -> node(new ShapeOp.Broadcast(Shape.of(4, 3), List.of(1, 0)), x)),
        mistake(
            "axis 2 is out of range for shape [3,4]",
            () -> node(new ShapeOp.Broadcast(Shape.of(3, 4), List.of(2)), f32(4))),
        mistake(
            "slice: range -1:2:1 does not fit axis 0",
            () -> node(new ShapeOp.Slice(List.of(-1, 0), List.of(2, 4), ones), x)),
        mistake(
            "slice: range 0:5:1 does not fit axis 1",
            () -> node(new ShapeOp.Slice(zeros, List.of(3, 5), ones), x)),
        mistake(
            "slice: range 2:1:1 does not fit axis 0",
            () -> node(new ShapeOp.Slice(List.of(2, 0), List.of(1, 4), ones), x)),
        mistake(
            "slice: range 0:4:0 does not fit axis 1",
            () -> node(new ShapeOp.Slice(zeros, List.of(3, 4), List.of(1, 0)), x)),
        mistake(
            "pad: amounts are at least 0",
            () -> node(new ShapeOp.Pad(List.of(0, -1), zeros, zeros), x)),
        mistake(
            "pad: axis 1 becomes too long, 2147483651",
            () -> node(new ShapeOp.Pad(zeros, List.of(0, HUGE), zeros), x)),
        mistake(
            "pad: axis 0 becomes too long, 4294967297",
            () -> node(new ShapeOp.Pad(zeros, zeros, List.of(HUGE, 0)), x)),
        mistake(
            "concat: an axis of an operation is 0 or more, not -1",
            () -> node(new ShapeOp.Concat(-1), x, x)),
        mistake("axis 2 is out of range for shape [3,4]", () -> node(new ShapeOp.Concat(2), x, x)),
        mistake("concat: takes at least 1 operand", () -> node(new ShapeOp.Concat(0))),
        mistake(
            "concat: axis 0 becomes too long, 4294967294",
            () -> node(new ShapeOp.Concat(0), f32(HUGE, 0), f32(HUGE, 0))));
  }

  private static Stream<Mistake> indices() {
    Expr x = f32(3, 4);
    Expr i = Expr.parameter(2, "i", Type.i32(3));
    return Stream.of(
        mistake(
            "gather: an axis of an operation is 0 or more, not -2",
            () -> node(new IndexOp.Gather(-2), x, i)),
        mistake("axis 2 is out of range for shape [3,4]", () -> node(new IndexOp.Gather(2), x, i)),
        mistake(
            "scatterAdd: an axis of an operation is 0 or more, not -1",
            () -> node(new IndexOp.ScatterAdd(-1, 5), x, i)),
        mistake(
            "scatterAdd: the result has no axis 2", () -> node(new IndexOp.ScatterAdd(2, 5), x, i)),
        mistake(
            "scatterAdd: the axis cannot have size -5",
            () -> node(new IndexOp.ScatterAdd(0, -5), x, i)),
        mistake("scatterAdd: the result has no axis -3", () -> x.scatterAdd(-3, 5, i)),
        mistake("scatterAdd: the result has no axis 0", () -> f32().scatterAdd(0, 5, i)),
        mistake(
            "iota: an axis of an operation is 0 or more, not -1",
            () -> node(new LeafOp.Iota(Type.f32(3), -1))),
        mistake(
            "axis 1 is out of range for shape [3]", () -> node(new LeafOp.Iota(Type.f32(3), 1))),
        mistake(
            "data: f32[3] needs 3 values, not 4",
            () -> node(new LeafOp.Data(Type.f32(3), new LeafOp.Values(1, 2, 3, 4)))),
        mistake(
            "i32[2] cannot hold the constant 0.5", () -> node(new LeafOp.Fill(0.5, Type.i32(2)))),
        mistake(
            "u8[1] cannot hold the constant 256.0",
            () -> node(new LeafOp.Data(Type.u8(1), new LeafOp.Values(256)))));
  }

  private static Expr contract(
      List<Integer> leftBatch,
      List<Integer> rightBatch,
      List<Integer> leftSum,
      List<Integer> rightSum) {
    Op op = new ContractOp.Contract(leftBatch, rightBatch, leftSum, rightSum);
    return node(op, f32(3, 3), f32(3, 3));
  }

  private static Stream<Mistake> products() {
    List<Integer> none = List.of();
    Expr x = f32(1, 5, 5, 2);
    Expr w = f32(3, 3, 1, 3);
    Expr gy = f32(1, 3, 3, 3);
    Window plain = Window.of(1, 0);
    String groups = ": channels do not fit the kernel in 2 group(s)";
    return Stream.of(
        mistake(
            "contract: batch axes [] and contracted axes [-1] are not distinct axes of [3,3]",
            () -> contract(none, none, List.of(-1), List.of(0))),
        mistake(
            "contract: batch axes [] and contracted axes [2] are not distinct axes of [3,3]",
            () -> contract(none, none, List.of(0), List.of(2))),
        mistake(
            "contract: batch axes [0] and contracted axes [0] are not distinct axes of [3,3]",
            () -> contract(List.of(0), List.of(0), List.of(0), List.of(1))),
        mistake(
            "contract: batch axes [0, 0] and contracted axes [] are not distinct axes of [3,3]",
            () -> contract(List.of(0, 1), List.of(0, 0), none, none)),
        mistake("convolve" + groups, () -> node(new ConvOp.Convolve(plain, 2), x, w)),
        mistake(
            "inputGradient" + groups,
            () -> node(new ConvOp.InputGradient(plain, 2, x.shape()), gy, w)),
        mistake(
            "kernelGradient" + groups,
            () -> node(new ConvOp.KernelGradient(plain, 2, w.shape()), x, gy)),
        mistake(
            "convolve: channels do not fit the kernel in -2 group(s)",
            () -> node(new ConvOp.Convolve(plain, -2), x, w)),
        // A kernel of five rows 2^30 apart has 2^32 + 1 rows, which an int takes for 1.
        mistake(
            "convolve: the kernel is larger than the padded image",
            () -> node(new ConvOp.Convolve(dilated(1 << 30), 1), x, f32(5, 5, 2, 3))),
        mistake(
            "inputGradient: the kernel is larger than the padded image",
            () ->
                node(
                    new ConvOp.InputGradient(dilated(1 << 30), 1, x.shape()),
                    f32(1, 5, 5, 3),
                    f32(5, 5, 2, 3))));
  }

  private static Stream<Mistake> pooling() {
    PoolWindow w = PoolWindow.square(2);
    Expr x = f32(1, 4, 4, 3);
    Expr y = f32(1, 2, 2, 3);
    return Stream.of(
        mistake("poolGather: offsets are u8", () -> node(new PoolOp.PoolGather(w), x, y)),
        mistake(
            "poolScatter: offsets are u8", () -> node(new PoolOp.PoolScatter(w, x.shape()), y, y)),
        mistake(
            "pooling: a window has 1 to 256 positions, not 65536x65536",
            () -> new PoolWindow(1 << 16, 1 << 16, Window.of(1, 0))),
        mistake(
            "pooling: the padding must be smaller than the window",
            () -> new PoolWindow(2, 2, new Window(1, 1, 2, 0, 0, 0, 1, 1))),
        mistake(
            "poolSum: the window is larger than the padded image",
            () -> node(new PoolOp.PoolSum(new PoolWindow(5, 1, dilated(1 << 30))), x)));
  }

  private static Stream<Mistake> programs() {
    Expr v = f32(4);
    Expr p = Expr.parameter(1, "p", Type.f32());
    Graph body = new Graph(List.of(p), List.of(p.mul(2)));
    Expr step = Expr.parameter(2, "i", Type.i32());
    Graph next = new Graph(List.of(step, p), List.of(p.mul(2)));
    return Stream.of(
        mistake("map: 2 of 1 inputs mapped over 4 elements", () -> new ControlOp.Map(body, 4, 2)),
        mistake("map: 1 of 1 inputs mapped over -1 elements", () -> new ControlOp.Map(body, -1, 1)),
        mistake("map: takes 1 operands, not 2", () -> node(new ControlOp.Map(body, 4, 1), v, v)),
        mistake("map: input 0 should be f32[5]", () -> node(new ControlOp.Map(body, 5, 1), v)),
        mistake(
            "loop: -1 steps of 1 states, by a body from 2 values to 1",
            () -> new ControlOp.Loop(next, -1, 1)),
        mistake(
            "loop: 3 steps of 2 states, by a body from 2 values to 1",
            () -> new ControlOp.Loop(next, 3, 2)),
        mistake("loop: input 0 should be f32[]", () -> node(new ControlOp.Loop(next, 3, 1), v)),
        mistake(
            "loop: the body's first value is the step number, i32[]",
            () ->
                node(
                    new ControlOp.Loop(new Graph(List.of(p, step), List.of(step)), 3, 1),
                    Expr.parameter(3, "s", Type.i32()))),
        mistake(
            "project: there are 1 results and no result 1",
            () -> node(new ControlOp.Project(1), v)),
        mistake(
            "convolve: takes 2 operands, not 1",
            () -> node(new ConvOp.Convolve(Window.of(1, 0), 1), v)),
        mistake(
            "program: inputs of [f32[5]] for a graph that has [f32[]]",
            () -> new Program(body, Tree.leaf(Type.f32(5)), Tree.leaf(Type.f32()))),
        mistake(
            "program: outputs of [i32[]] for a graph that has [f32[]]",
            () -> new Program(body, Tree.leaf(Type.f32()), Tree.leaf(Type.i32()))));
  }

  @ParameterizedTest
  @MethodSource({"reductions", "shapes", "indices", "products", "pooling", "programs"})
  void isRefused(Mistake m) {
    Throwable thrown = catchThrowable(m.trace::run);
    assertThat(thrown).isInstanceOfAny(ShapeException.class, DTypeException.class);
    assertThat(thrown.getMessage().lines().findFirst().orElseThrow()).isEqualTo(m.message);
  }

  private static double[] value(Expr e) {
    return Reference.evaluate(new Graph(List.of(), List.of(e)), List.of()).getFirst();
  }

  /** The methods of Expr know the shape and let axes count from the end. */
  @Test
  void expressionsCountAxesFromTheEnd() {
    Expr x = Expr.data(Type.f32(2, 2), 1, 2, 3, 4);
    Expr i = Expr.data(Type.i32(2), 2, 0);
    assertThat(x.scatterAdd(-1, 3, i)).isSameAs(x.scatterAdd(1, 3, i));
    assertThat(value(x.scatterAdd(-1, 3, i))).containsExactly(2, 0, 1, 4, 0, 3);
    assertThat(x.scatterAdd(-2, 3, i)).isSameAs(x.scatterAdd(0, 3, i));
    assertThat(x.broadcast(Shape.of(2, 2, 2), -2, -1))
        .isSameAs(x.broadcast(Shape.of(2, 2, 2), 1, 2));
    int[] none = {};
    assertThat(x.contract(x, none, none, new int[] {-1}, new int[] {-2})).isSameAs(x.matmul(x));
  }

  @Test
  void aLongStrideIsOneElement() {
    Expr x = Expr.data(Type.f32(5), 1, 2, 3, 4, 5);
    Expr one = x.slice(new int[] {1}, new int[] {5}, new int[] {HUGE});
    assertThat(one.shape()).isEqualTo(Shape.of(1));
    assertThat(value(one)).containsExactly(2);
  }

  /** Nodes are found again by their operation, which therefore must not change. */
  @Test
  void listsAreCopied() {
    List<Integer> axes = new ArrayList<>(List.of(0));
    ReduceOp.Reduce sum = new ReduceOp.Reduce(Kind.SUM, axes);
    axes.set(0, 1);
    assertThat(sum.axes()).containsExactly(0);
    List<Integer> perm = new ArrayList<>(List.of(0, 1));
    ShapeOp.Transpose transpose = new ShapeOp.Transpose(perm);
    perm.set(0, 1);
    assertThat(transpose.perm()).containsExactly(0, 1);
  }
}
