package dev.vauban.tensor.backend.cuda;

import dev.vauban.natives.cuda.LaunchShape;
import dev.vauban.tensor.DType;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.IndexOp;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.ShapeOp;
import dev.vauban.tensor.backend.cuda.Source.Positions;
import java.util.ArrayList;
import java.util.List;

/** Kernels that move elements. */
final class Movement {
  /** Inputs of one kernel that concatenates; more are several kernels. */
  private static final int MOST_INPUTS = 16;

  /** Side of the square that a transposition turns in shared memory, and rows of its block. */
  private static final int SIDE = 32;

  private static final int ROWS = 8;

  private Movement() {}

  private static Positions positions(Expr e) {
    long most = e.shape().size();
    for (Expr in : e.inputs()) {
      most = Math.max(most, in.shape().size());
    }
    return Positions.upTo(most);
  }

  private static List<Long> strides(Shape s) {
    return java.util.Arrays.stream(s.strides()).boxed().toList();
  }

  /** Elements are moved as bits: the C type of as many. */
  private static String bits(DType t) {
    return Scalars.memory(t);
  }

  private static String parameters(Expr e) {
    return Elementwise.in(bits(e.dtype()), "x") + ", " + Elementwise.out(bits(e.dtype()), "y");
  }

  static Nests.Built transpose(Expr e, ShapeOp.Transpose t) {
    List<Integer> dims = Source.dims(e.shape());
    List<Long> from = new ArrayList<>();
    long[] s = e.input(0).shape().strides();
    t.perm().forEach(a -> from.add(s[a]));
    int last = dims.size() - 1;
    int column = -1; // the result's dimension along which the input's elements are neighbours
    for (int d = 0; d < last; d++) {
      column = from.get(d) == 1 && dims.get(d) >= ROWS ? d : column;
    }
    if (column >= 0 && dims.get(last) >= ROWS) {
      return turned(e, dims, from, column);
    }
    Positions at = positions(e);
    return Elementwise.of(
        "transpose",
        parameters(e),
        Elementwise.arguments(1),
        e.shape().size(),
        at,
        c -> {
          List<String> i = c.indices("p", dims, "i", at);
          c.line("y[p] = x[%s];", Source.offset(i, from, at));
        });
  }

  /** Squares by way of shared memory: reads and writes both run along memory. */
  private static Nests.Built turned(Expr e, List<Integer> dims, List<Long> from, int column) {
    Positions at = positions(e);
    int last = dims.size() - 1;
    long across = Math.ceilDiv(dims.get(last), SIDE);
    long down = Math.ceilDiv(dims.get(column), SIDE);
    List<Integer> others = new ArrayList<>(dims);
    others.set(last, 1);
    others.set(column, 1);
    long squares = e.shape().size() / dims.get(last) / dims.get(column) * across * down;
    Source s = new Source();
    s.line("__shared__ %s square[%d][%d];", bits(e.dtype()), SIDE, SIDE + 1);
    s.line("const v_u32 tx = threadIdx.x %% %du, ty = threadIdx.x / %du;", SIDE, SIDE);
    s.line("const %s b0 = blockIdx.x;", at.type());
    s.line("const v_u32 across = (v_u32)(b0 %% %s) * %du;", at.of(across), SIDE);
    s.line("const v_u32 down = (v_u32)(b0 / %s %% %s) * %du;", at.of(across), at.of(down), SIDE);
    s.line("const %s other = b0 / %s;", at.type(), at.of(across * down));
    List<String> i = new ArrayList<>(s.indices("other", others, "i", at));
    s.line("for (v_u32 r = ty; r < %du; r += %du) {", SIDE, ROWS);
    i.set(last, "(across + r)");
    i.set(column, "(down + tx)");
    s.line("if (across + r < %du && down + tx < %du) {", dims.get(last), dims.get(column));
    s.line("square[r][tx] = x[%s];", Source.offset(i, from, at));
    s.end().end();
    s.line("__syncthreads();");
    s.line("for (v_u32 r = ty; r < %du; r += %du) {", SIDE, ROWS);
    i.set(last, "(across + tx)");
    i.set(column, "(down + r)");
    s.line("if (across + tx < %du && down + r < %du) {", dims.get(last), dims.get(column));
    s.line("y[%s] = square[tx][r];", Source.offset(i, strides(e.shape()), at));
    s.end().end();
    return new Nests.Built(
        List.of(
            new Launch(
                Kernel.of("turn", parameters(e), s),
                LaunchShape.of(Math.toIntExact(squares), SIDE * ROWS),
                Elementwise.arguments(1))),
        0);
  }

  static Nests.Built slice(Expr e, ShapeOp.Slice op) {
    Positions at = positions(e);
    long[] s = e.input(0).shape().strides();
    List<Long> from = new ArrayList<>();
    long first = 0;
    for (int d = 0; d < s.length; d++) {
      from.add(s[d] * op.strides().get(d));
      first += s[d] * op.starts().get(d);
    }
    String begin = at.of(first);
    return Elementwise.of(
        "slice",
        parameters(e),
        Elementwise.arguments(1),
        e.shape().size(),
        at,
        c -> {
          List<String> i = c.indices("p", Source.dims(e.shape()), "i", at);
          c.line("y[p] = x[%s + %s];", begin, Source.offset(i, from, at));
        });
  }

  static Nests.Built pad(Expr e, ShapeOp.Pad op) {
    Positions at = positions(e);
    Shape x = e.input(0).shape();
    return Elementwise.of(
        "pad",
        parameters(e),
        Elementwise.arguments(1),
        e.shape().size(),
        at,
        c -> {
          List<String> i = c.indices("p", Source.dims(e.shape()), "i", at);
          List<String> from = new ArrayList<>();
          List<String> inside = new ArrayList<>();
          for (int d = 0; d < i.size(); d++) {
            int low = op.low().get(d);
            int step = op.interior().get(d) + 1;
            // Before the first element the difference wraps around to a large number.
            c.line("const %s d%d = %s - %s;", at.type(), d, i.get(d), at.of(low));
            String size = at.of(x.dim(d));
            from.add(step == 1 ? "d" + d : "(d" + d + " / " + at.of(step) + ")");
            if (step > 1) {
              inside.add("d%d %% %s == 0".formatted(d, at.of(step)));
            }
            if (low > 0 || op.high().get(d) > 0 || step > 1) {
              inside.add(from.getLast() + " < " + size);
            }
          }
          String element = "x[" + Source.offset(from, strides(x), at) + "]";
          c.line(
              "y[p] = %s;",
              inside.isEmpty()
                  ? element
                  : String.join(" && ", inside)
                      + " ? "
                      + element
                      + " : ("
                      + bits(e.dtype())
                      + ")0");
        });
  }

  static Nests.Built concat(Expr e, int axis) {
    Positions at = positions(e);
    Shape y = e.shape();
    long inner = 1;
    for (int d = axis + 1; d < y.rank(); d++) {
      inner *= y.dim(d);
    }
    List<Launch> launches = new ArrayList<>();
    long row = y.dim(axis) * inner; // elements of the result per index of the axes before
    long begin = 0;
    int n = e.inputs().size();
    for (int first = 0; first < n; first += MOST_INPUTS) {
      int end = Math.min(n, first + MOST_INPUTS);
      List<String> parameters = new ArrayList<>();
      List<Launch.Argument> arguments = new ArrayList<>();
      List<Long> sizes = new ArrayList<>();
      long some = 0;
      for (int k = first; k < end; k++) {
        parameters.add(Elementwise.in(bits(e.dtype()), "x" + (k - first)));
        arguments.add(new Launch.Read(k, 0));
        sizes.add(e.input(k).shape().dim(axis) * inner);
        some += sizes.getLast();
      }
      parameters.add(Elementwise.out(bits(e.dtype()), "y"));
      arguments.add(new Launch.Write(0));
      long here = begin;
      long width = some;
      if (width > 0 && y.size() > 0) {
        launches.add(
            Elementwise.launch(
                "concat",
                String.join(", ", parameters),
                arguments,
                y.size() / row * width,
                at,
                c -> {
                  c.line("const %s o = p / %s;", at.type(), at.of(width));
                  c.line("%s i = p %% %s;", at.type(), at.of(width));
                  c.line("%s* to = y + o * %s + %s + i;", bits(e.dtype()), at.of(row), at.of(here));
                  for (int k = 0; k < sizes.size(); k++) {
                    String size = at.of(sizes.get(k));
                    if (sizes.get(k) > 0) {
                      c.line("if (i < %s) {", size);
                      c.line("*to = x%d[o * %s + i];", k, size).line("return;").end();
                      c.line("i -= %s;", size);
                    }
                  }
                }));
      }
      begin += some;
    }
    return new Nests.Built(launches, 0);
  }

  /** Sizes before and after an axis. */
  static long[] around(Shape s, int axis) {
    long[] sizes = {1, 1};
    for (int d = 0; d < s.rank(); d++) {
      if (d != axis) {
        sizes[d < axis ? 0 : 1] *= s.dim(d);
      }
    }
    return sizes;
  }

  static Nests.Built gather(Expr e, IndexOp.Gather g) {
    Positions at = positions(e);
    Shape x = e.input(0).shape();
    int rows = x.dim(g.axis());
    long inner = around(x, g.axis())[1];
    long k = e.input(1).shape().size();
    List<Launch.Argument> arguments = Elementwise.arguments(2);
    arguments.add(new Launch.Fault());
    String type = bits(e.dtype());
    return Elementwise.of(
        "gather",
        Elementwise.in(type, "x")
            + ", "
            + Elementwise.in("int", "at")
            + ", "
            + Elementwise.out(type, "y")
            + ", "
            + Faults.PARAMETER,
        arguments,
        e.shape().size(),
        at,
        c -> {
          c.line("const %s i = p %% %s;", at.type(), at.of(inner));
          c.line("const %s k = p / %s %% %s;", at.type(), at.of(inner), at.of(k));
          c.line("const %s o = p / %s;", at.type(), at.of(inner * k));
          c.line("const int row = at[k];");
          c.line("if (row < 0 || row >= %d) {", rows);
          Faults.report(c, "row", rows);
          c.line("y[p] = (%s)0;", type);
          c.line("return;").end();
          c.line("y[p] = x[(o * %s + (%s)row) * %s + i];", at.of(rows), at.type(), at.of(inner));
        });
  }

  /** Indices looked at, all results together, beyond which they are sorted first. */
  private static final long MOST_LOOKS = 1L << 24;

  /** Whether results of a scatter find their terms by sorted indices. */
  static boolean sorts(Expr e) {
    return e.shape().size() * e.input(1).shape().size() > MOST_LOOKS;
  }

  /**
   * Sums of what goes to the same place, in the order of the indices, so that both ways give the
   * same bits.
   *
   * @param sorted whether a third input is the order of the indices, equal ones as they stand: then
   *     a result's terms are neighbours in it; else each result looks at all indices
   */
  static Nests.Built scatterAdd(Expr e, IndexOp.ScatterAdd g, boolean sorted) {
    Positions at = positions(e);
    long inner = around(e.shape(), g.axis())[1];
    long k = e.input(1).shape().size();
    List<Launch.Argument> arguments = Elementwise.arguments(sorted ? 3 : 2);
    arguments.add(new Launch.Fault());
    String type = bits(e.dtype());
    DType compute = Scalars.compute(e.dtype());
    List<String> parameters = new ArrayList<>();
    parameters.add(Elementwise.in(type, "u"));
    parameters.add(Elementwise.in("int", "at"));
    if (sorted) {
      parameters.add(Elementwise.in("int", "order"));
    }
    parameters.add(Elementwise.out(type, "y"));
    parameters.add(Faults.PARAMETER);
    return Elementwise.of(
        sorted ? "scatterSorted" : "scatter",
        String.join(", ", parameters),
        arguments,
        e.shape().size(),
        at,
        c -> {
          c.line("const %s i = p %% %s;", at.type(), at.of(inner));
          c.line("const int row = (int)(p / %s %% %s);", at.of(inner), at.of(g.size()));
          c.line("const %s o = p / %s;", at.type(), at.of(inner * g.size()));
          c.line("%s sum = 0;", Scalars.memory(compute));
          String element = "u[(o * %s + k) * %s + i]".formatted(at.of(k), at.of(inner));
          String term = Scalars.load(e.dtype(), compute, element);
          if (sorted) {
            neighbours(c, at, k, term);
          } else {
            c.line("for (%s k = 0; k < %s; k++) {", at.type(), at.of(k));
            c.line("if (at[k] == row) {").line("sum += %s;", term).end();
            c.end();
          }
          c.line("y[p] = %s;", Scalars.store(compute, e.dtype(), "sum"));
          String step = at.of(e.shape().size()); // all threads look for faults
          c.line("for (%s k = p; k < %s; k += %s) {", at.type(), at.of(k), step);
          c.line("const int to = at[k];");
          c.line("if (to < 0 || to >= %d) {", g.size());
          Faults.report(c, "to", g.size());
          c.end().end();
        });
  }

  /** Finds the first of {@code row}'s terms by halves, and adds up from there. */
  private static void neighbours(Source c, Positions at, long count, String term) {
    c.line("%s low = 0, high = %s;", at.type(), at.of(count));
    c.line("while (low < high) {");
    c.line("const %s middle = (low + high) / 2;", at.type());
    c.line("if (at[order[middle]] < row) {").line("low = middle + 1;");
    c.line("} else {").line("high = middle;").end();
    c.end();
    c.line("for (; low < %s && at[order[low]] == row; low++) {", at.of(count));
    c.line("const %s k = (%s)order[low];", at.type(), at.type());
    c.line("sum += %s;", term);
    c.end();
  }
}
