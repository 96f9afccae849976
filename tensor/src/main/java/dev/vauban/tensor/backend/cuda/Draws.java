package dev.vauban.tensor.backend.cuda;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.RandomOp;
import dev.vauban.tensor.backend.cuda.Source.Positions;

/** Random numbers: one counter per thread, the bits of every other device. */
final class Draws {
  private Draws() {}

  static Nests.Built random(Expr e, RandomOp.Random op) {
    Positions at = Positions.upTo(e.shape().size());
    long n = op.shape().size();
    boolean bits = op.distribution() == RandomOp.Distribution.BITS;
    return Elementwise.of(
        "random",
        Elementwise.in("int", "keys") + ", " + Elementwise.out(bits ? "int" : "float", "y"),
        Elementwise.arguments(1),
        e.shape().size(),
        at,
        c -> {
          c.line("const %s k = p / %s;", at.type(), at.of(n));
          c.line("const v_u64 i = p %% %s;", at.of(n));
          c.line("v_u32 w0, w1;");
          c.line(
              "v_threefry((v_u32)keys[2u * k], (v_u32)keys[2u * k + 1u], (v_u32)(i >> 32), (v_u32)i,"
                  + " &w0, &w1);");
          c.line(
              "y[p] = %s;",
              switch (op.distribution()) {
                case BITS -> "(int)w0";
                case UNIFORM -> "v_uniform(w0)";
                case NORMAL -> "v_normal(w0, w1)";
              });
        });
  }

  static Nests.Built fold(Expr e) {
    Positions at = Positions.upTo(e.shape().size());
    return Elementwise.of(
        "fold",
        Elementwise.in("int", "keys")
            + ", "
            + Elementwise.in("int", "data")
            + ", "
            + Elementwise.out("int", "y"),
        Elementwise.arguments(2),
        e.shape().size() / 2,
        at,
        c -> {
          c.line("v_u32 w0, w1;");
          c.line("const int d = data[p];");
          c.line(
              "v_threefry((v_u32)keys[2u * p], (v_u32)keys[2u * p + 1u], d < 0 ? 0xffffffffu : 0u,"
                  + " (v_u32)d, &w0, &w1);");
          c.line("y[2u * p] = (int)w0;").line("y[2u * p + 1u] = (int)w1;");
        });
  }
}
