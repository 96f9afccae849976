package dev.vauban.tensor.backend.cuda;

import dev.vauban.tensor.DType;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.PoolOp;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Window;
import dev.vauban.tensor.backend.cuda.Source.Positions;
import java.util.List;

/**
 * Pooling: a thread per element of the result. What adds to images (the gradients) looks for the
 * windows over an element, in the order of the window's positions, so that sums are the same every
 * time.
 */
final class Pools {
  private final Expr e;
  private final PoolOp.PoolWindow window;
  private final Window move;
  private final Positions at;
  private final DType type;
  private final String memory;

  private Pools(Expr e, PoolOp op) {
    this.e = e;
    this.window = op.window();
    this.move = window.move();
    this.at = Positions.upTo(Math.max(e.shape().size(), e.input(0).shape().size()));
    this.type = e.input(0).dtype();
    this.memory = Scalars.memory(type);
  }

  static Nests.Built of(Expr e, PoolOp op) {
    Pools p = new Pools(e, op);
    return switch (op) {
      case PoolOp.PoolArgMax a -> p.argMax();
      case PoolOp.PoolGather g -> p.gather();
      case PoolOp.PoolScatter s -> p.backward("poolScatter", true);
      case PoolOp.PoolSum s -> p.sum();
      case PoolOp.PoolSumGradient s -> p.backward("poolSpread", false);
    };
  }

  private Nests.Built forward(String stem, String result, boolean offsets, Body body) {
    Shape x = e.input(0).shape();
    String parameters =
        Elementwise.in(memory, "x")
            + (offsets ? ", " + Elementwise.in("v_u8", "at") : "")
            + ", "
            + Elementwise.out(result, "y");
    return Elementwise.of(
        stem,
        parameters,
        Elementwise.arguments(offsets ? 2 : 1),
        e.shape().size(),
        at,
        s -> {
          List<String> i = s.indices("p", Source.dims(e.shape()), "i", at);
          body.write(s, x, i);
        });
  }

  private interface Body {
    void write(Source s, Shape x, List<String> i);
  }

  /** Where offset {@code k} of the window at {@code i} lies: row, column, whether in the image. */
  private void position(Source s, Shape x, List<String> i, String k) {
    s.line(
        "const int row = (int)(%s * %du + %s / %du * %du) - %d;",
        i.get(1), move.strideH(), k, window.w(), move.dilationH(), move.top());
    s.line(
        "const int column = (int)(%s * %du + %s %% %du * %du) - %d;",
        i.get(2), move.strideW(), k, window.w(), move.dilationW(), move.left());
    s.line(
        "const int inside = row >= 0 && row < %d && column >= 0 && column < %d;",
        x.dim(1), x.dim(2));
  }

  private String element(Shape x, List<String> i) {
    return "x[((%s * %s + (v_u32)row) * %s + (v_u32)column) * %s + %s]"
        .formatted(i.get(0), at.of(x.dim(1)), at.of(x.dim(2)), at.of(x.dim(3)), i.get(3));
  }

  private String load(String element) {
    return Scalars.load(type, Scalars.compute(type), element);
  }

  private String value() {
    return Scalars.memory(Scalars.compute(type));
  }

  private Nests.Built argMax() {
    return forward(
        "poolArgMax",
        "v_u8",
        false,
        (s, x, i) -> {
          s.line("%s best = 0;", value());
          s.line("int found = -1;");
          s.line("for (v_u32 k = 0; k < %du; k++) {", window.h() * window.w());
          position(s, x, i, "k");
          s.line("if (inside) {");
          s.line("const %s v = %s;", value(), load(element(x, i)));
          s.line("if (found < 0 || v > best || (v != v && best == best)) {");
          s.line("best = v;").line("found = (int)k;");
          s.end().end().end();
          s.line("y[p] = (v_u8)(found < 0 ? 0 : found);");
        });
  }

  private Nests.Built gather() {
    return forward(
        "poolGather",
        memory,
        true,
        (s, x, i) -> {
          s.line("const v_u32 k = at[p];");
          position(s, x, i, "k");
          s.line(
              "y[p] = inside && k < %du ? %s : (%s)0;",
              window.h() * window.w(), element(x, i), memory);
        });
  }

  private Nests.Built sum() {
    return forward(
        "poolSum",
        memory,
        false,
        (s, x, i) -> {
          s.line("%s sum = 0;", value());
          s.line("for (v_u32 k = 0; k < %du; k++) {", window.h() * window.w());
          position(s, x, i, "k");
          s.line("if (inside) {");
          s.line("sum += %s;", load(element(x, i)));
          s.end().end();
          s.line("y[p] = %s;", Scalars.store(Scalars.compute(type), type, "sum"));
        });
  }

  /** An element of the images: what the windows over it pass back. */
  private Nests.Built backward(String stem, boolean offsets) {
    Shape g = e.input(0).shape();
    String parameters =
        Elementwise.in(memory, "g")
            + (offsets ? ", " + Elementwise.in("v_u8", "at") : "")
            + ", "
            + Elementwise.out(memory, "y");
    return Elementwise.of(
        stem,
        parameters,
        Elementwise.arguments(offsets ? 2 : 1),
        e.shape().size(),
        at,
        s -> {
          List<String> i = s.indices("p", Source.dims(e.shape()), "i", at);
          s.line("%s sum = 0;", value());
          s.line("for (int r = 0; r < %d; r++) {", window.h());
          s.line("const int row = (int)%s + %d - r * %d;", i.get(1), move.top(), move.dilationH());
          s.line(
              "if (row < 0 || row %% %d != 0 || row / %d >= %d) {",
              move.strideH(), move.strideH(), g.dim(1));
          s.line("continue;").end();
          s.line("for (int c = 0; c < %d; c++) {", window.w());
          s.line(
              "const int column = (int)%s + %d - c * %d;", i.get(2), move.left(), move.dilationW());
          s.line(
              "if (column < 0 || column %% %d != 0 || column / %d >= %d) {",
              move.strideW(), move.strideW(), g.dim(2));
          s.line("continue;").end();
          s.line(
              "const %s from = ((%s * %s + (v_u32)(row / %d)) * %s + (v_u32)(column / %d)) * %s +"
                  + " %s;",
              at.type(),
              i.get(0),
              at.of(g.dim(1)),
              move.strideH(),
              at.of(g.dim(2)),
              move.strideW(),
              at.of(g.dim(3)),
              i.get(3));
          if (offsets) {
            s.line("if (at[from] == r * %d + c) {", window.w());
          }
          s.line("sum += %s;", load("g[from]"));
          if (offsets) {
            s.end();
          }
          s.end().end();
          s.line("y[p] = %s;", Scalars.store(Scalars.compute(type), type, "sum"));
        });
  }
}
