package dev.vauban.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.vauban.tensor.PoolOp.PoolWindow;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What a user reads when shapes or types do not fit: literally, but for the line numbers. */
class OpErrorsTest {
  private static Expr p(String name, Type type) {
    return Expr.parameter(1, name, type);
  }

  private static Expr f32(String name, int... dims) {
    return p(name, Type.f32(dims));
  }

  private record Mistake(String message, Runnable trace) {
    @Override
    public String toString() {
      return message.lines().findFirst().orElseThrow();
    }
  }

  private static Mistake mistake(Runnable trace, String... lines) {
    return new Mistake(String.join("\n    ", lines), trace);
  }

  private static Stream<Mistake> shapes() {
    Expr x = f32("x", 64, 784);
    Expr w = f32("w", 512, 10);
    Expr image = f32("image", 2, 28, 28, 3);
    Expr kernel = f32("kernel", 3, 3, 1, 8);
    Expr v = f32("v", 5);
    Expr none = f32("none", 3, 0);
    String xs = "f32[64,784]      x            LINE";
    String ws = "f32[512,10]      w            LINE";
    String is = "f32[2,28,28,3]   image        LINE";
    String ks = "f32[3,3,1,8]     kernel       LINE";
    String vs = "f32[5]           v            LINE";
    return Stream.of(
        mistake(() -> x.matmul(w), "matmul: inner dimensions differ, 784 ≠ 512", xs, ws),
        mistake(() -> x.add(w), "add: dimensions differ, 784 ≠ 10", xs, ws),
        mistake(() -> x.reshape(7, 7), "reshape: cannot become [7,7]: sizes differ", xs),
        mistake(() -> x.transpose(0, 0), "transpose: [0, 0] is no permutation of the axes", xs),
        mistake(() -> x.broadcastTo(Shape.of(3, 784)), "broadcast: cannot repeat to [3,784]", xs),
        mistake(
            () -> v.broadcast(Shape.of(4, 6), 1),
            "broadcast: cannot repeat to [4,6] along axes [1]",
            vs),
        mistake(() -> v.slice(0, 2, 9), "slice: range 2:9:1 does not fit axis 0", vs),
        mistake(
            () -> v.slice(new int[2], new int[2], new int[2]),
            "slice: needs one range per axis",
            vs),
        mistake(
            () -> v.pad(new int[] {-1}, new int[1], new int[1]), "pad: amounts are at least 0", vs),
        mistake(() -> Expr.concat(1, x, w), "concat: shapes differ beyond axis 1", xs, ws),
        mistake(
            () -> none.maxOver(1),
            "reduce-max: no elements along axis 1",
            "f32[3,0]         none         LINE"),
        mistake(
            () -> none.argMax(1),
            "argReduce: no elements along axis 1",
            "f32[3,0]         none         LINE"),
        mistake(() -> v.topK(6), "argSort: k = 6 does not fit axis 0", vs),
        mistake(
            () -> image.convolve(kernel, Window.of(1, 0), 1),
            "convolve: channels do not fit the kernel in 1 group(s)",
            is,
            ks),
        mistake(
            () -> image.convolve(v, Window.of(1, 0), 1), "convolve: kernels are [H,W,I,O]", is, vs),
        mistake(
            () -> x.convolve(kernel, Window.of(1, 0), 1), "convolve: images are [N,H,W,C]", xs, ks),
        mistake(
            () -> image.maxPool(new PoolWindow(16, 16, new Window(1, 1, 0, 0, 0, 0, 2, 2))),
            "poolArgMax: the window is larger than the padded image",
            is),
        mistake(
            () -> v.scatterAdd(0, 3, p("i", Type.i32(4))),
            "scatterAdd: the updates do not fit the indices",
            vs,
            "i32[4]           i            LINE"),
        mistake(
            () -> p("key", Type.i32(3)).uniform(Shape.of(2)),
            "random: a key is i32[...,2]",
            "i32[3]           key          LINE"),
        mistake(
            () -> Vmap.vmap(t -> t, Tree.of("x", x, "w", w)),
            "vmap: first dimensions differ",
            xs,
            ws),
        mistake(
            () -> Grad.grad(a -> a.mul(2), v),
            "grad: the function must give a floating-point scalar",
            "f32[5]           mul          LINE"),
        mistake(() -> x.sum(2), "axis 2 is out of range for shape [64,784]"),
        mistake(
            () -> Window.of(0, 0),
            "window: strides and dilations are at least 1, not stride 0x0, dilation 1x1"),
        mistake(() -> PoolWindow.square(17), "pooling: a window has 1 to 256 positions, not 17x17"),
        mistake(() -> Shape.of(3, -1), "negative dimension in [3, -1]"),
        mistake(() -> Expr.data(Type.f32(3), 1, 2), "data: f32[3] needs 3 values, not 2"));
  }

  private static Stream<Mistake> types() {
    Expr x = f32("x", 4);
    Expr i = p("i", Type.i32(4));
    Expr u = p("u", Type.u8(4));
    String xs = "f32[4]           x            LINE";
    String is = "i32[4]           i            LINE";
    String us = "u8[4]            u            LINE";
    return Stream.of(
        mistake(() -> x.add(i), "add: element types differ; cast one of them", xs, is),
        mistake(i::exp, "exp: needs a floating-point type; cast first", is),
        mistake(() -> u.add(u), "add: needs a floating-point type; cast first", us, us),
        mistake(u::sum, "reduce-sum: needs a wider type than u8; cast first", us),
        mistake(
            () -> i.matmul(i), "contract: needs two operands of one floating-point type", is, is),
        mistake(() -> Expr.concat(0, x, i), "concat: element types differ", xs, is),
        mistake(() -> x.gather(0, x), "gather: indices are i32", xs, xs));
  }

  @ParameterizedTest
  @MethodSource("shapes")
  void shapeMistake(Mistake m) {
    check(m, ShapeException.class);
  }

  @ParameterizedTest
  @MethodSource("types")
  void typeMistake(Mistake m) {
    check(m, DTypeException.class);
  }

  private static void check(Mistake m, Class<? extends Throwable> type) {
    Throwable thrown = catchThrowable(m.trace::run);
    assertThat(thrown).isInstanceOf(type);
    assertThat(thrown.getMessage().replaceAll("\\w+\\.java:\\d+", "LINE")).isEqualTo(m.message);
  }

  /** The operands' lines are those of the user's program, not of this library. */
  @Test
  void theLineIsTheUsers() {
    Expr a = f32("unique to this test", 2, 3);
    Throwable t = catchThrowable(() -> a.matmul(a));
    assertThat(t.getMessage()).containsPattern("unique to this test OpErrorsTest\\.java:\\d+");
  }

  @Test
  void aLoopHasNoGradient() {
    Expr v = f32("v", 3);
    Throwable t = catchThrowable(() -> Grad.grad(x -> Vmap.repeat(20, x, Expr::sin).sum(), v));
    assertThat(t).isInstanceOf(UnsupportedOperationException.class);
    assertThat(t.getMessage().replaceAll("\\w+\\.java:\\d+", "LINE"))
        .isEqualTo(
            "repeat: a loop of 20 steps has no gradient; call stopGradient() on its result or"
                + " unroll it (LINE)");
  }

  @Test
  void aWrongNumberOfOperands() {
    Expr v = f32("v", 3);
    assertThat(catchThrowable(() -> Expr.of(new ElementOp.Pointwise(ScalarFn.ADD), List.of(v))))
        .hasMessage("add: takes 2 operands, not 1");
  }
}
