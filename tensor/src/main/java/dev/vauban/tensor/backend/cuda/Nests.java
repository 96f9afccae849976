package dev.vauban.tensor.backend.cuda;

import dev.vauban.tensor.DType;
import dev.vauban.tensor.ScalarFn;
import dev.vauban.tensor.backend.cuda.Source.Positions;
import dev.vauban.tensor.backend.fusion.Region;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The kernel of a nest without reductions: a thread per point, or per four neighbours where all
 * arrays walk along the last dimension together. Nests with reductions are {@link Sums}.
 */
final class Nests {
  static final int THREADS = 256;
  private static final int FOUR = 4;

  private Nests() {}

  /**
   * What runs a nest.
   *
   * @param launches in order
   * @param scratchBytes what they need meanwhile
   */
  record Built(List<Launch> launches, long scratchBytes) {}

  /**
   * The launches of a nest.
   *
   * @param offsets for each operand, bytes from its memory's beginning
   */
  static Built of(Region r, List<Long> offsets) {
    return r.outputs().stream().anyMatch(Region.Reduction.class::isInstance)
        ? Sums.of(r, offsets)
        : new Built(List.of(pointwise(r, offsets)), 0);
  }

  /** The parameters of a nest: operands, then outputs stored as {@code types}. */
  static String parameters(Region r, List<DType> types) {
    List<String> out = new ArrayList<>();
    for (int i = 0; i < r.operands().size(); i++) {
      String type = Scalars.memory(r.operands().get(i).dtype());
      out.add("const " + type + "* __restrict__ a" + i);
    }
    for (int i = 0; i < types.size(); i++) {
      out.add(Scalars.memory(types.get(i)) + "* __restrict__ o" + i);
    }
    return String.join(", ", out);
  }

  /** The arguments: operands, then outputs. */
  static List<Launch.Argument> arguments(Region r, List<Long> offsets) {
    List<Launch.Argument> out = new ArrayList<>();
    for (int i = 0; i < offsets.size(); i++) {
      out.add(new Launch.Read(i, offsets.get(i)));
    }
    for (int i = 0; i < r.outputs().size(); i++) {
      out.add(new Launch.Write(i));
    }
    return out;
  }

  /** What counts the points and elements of a nest. */
  static Positions positions(Region r) {
    long most = r.points();
    for (Region.Operand o : r.operands()) {
      most = Math.max(most, extent(r, o.strides()));
    }
    for (Region.Output o : r.outputs()) {
      most = Math.max(most, extent(r, o.strides()));
    }
    return Positions.upTo(most);
  }

  private static long extent(Region r, List<Long> strides) {
    long n = 1;
    for (int d = 0; d < strides.size(); d++) {
      n += strides.get(d) * (r.dims().get(d) - 1L);
    }
    return n;
  }

  private static Launch pointwise(Region r, List<Long> offsets) {
    int width = inFours(r, offsets) ? FOUR : 1;
    Positions at = positions(r);
    long threads = r.points() / width;
    List<Integer> dims = new ArrayList<>(r.dims());
    dims.set(dims.size() - 1, dims.getLast() / width);
    Source s = new Source();
    s.line("const %s p = (%s)blockIdx.x * %du + threadIdx.x;", at.type(), at.type(), THREADS);
    s.line("if (p >= %s) {", at.of(threads)).line("return;").end();
    List<String> index = new ArrayList<>(s.indices("p", dims, "i", at));
    if (width == FOUR) {
      fours(s, r, index, at);
    } else {
      Code code =
          new Code(s, r, index, at, (operand, offset) -> "a" + operand + "[" + offset + "]");
      IntStream.range(0, r.code().size()).forEach(code::emit);
      for (int o = 0; o < r.outputs().size(); o++) {
        Region.Output out = r.outputs().get(o);
        s.line("o%d[%s] = %s;", o, Source.offset(index, out.strides(), at), code.stored(out));
      }
    }
    List<DType> types = r.outputs().stream().map(Region.Output::dtype).toList();
    return new Launch(
        Kernel.of("nest", parameters(r, types), s),
        Launch.line(threads, THREADS),
        arguments(r, offsets));
  }

  private static void fours(Source s, Region r, List<String> index, Positions at) {
    int last = index.size() - 1;
    s.line("const %s first = %s * 4u;", at.type(), index.get(last));
    index.set(last, "first");
    for (int i = 0; i < r.operands().size(); i++) {
      Region.Operand o = r.operands().get(i);
      String offset = Source.offset(index, o.strides(), at);
      if (o.strides().get(last) == 1) {
        String type = Scalars.four(o.dtype());
        s.line("const %s x%d = *(const %s*)(a%d + %s);", type, i, type, i, offset);
      } else {
        s.line("const %s x%d = a%d[%s];", Scalars.memory(o.dtype()), i, i, offset);
      }
    }
    for (int o = 0; o < r.outputs().size(); o++) {
      s.line("%s y%d;", Scalars.four(r.outputs().get(o).dtype()), o);
    }
    s.line("#pragma unroll");
    s.line("for (v_u32 j = 0; j < 4u; j++) {");
    List<String> inner = new ArrayList<>(index);
    inner.set(last, "(first + j)");
    Code code =
        new Code(
            s,
            r,
            inner,
            at,
            (i, offset) -> "x" + i + (r.operands().get(i).strides().get(last) == 1 ? ".e[j]" : ""));
    IntStream.range(0, r.code().size()).forEach(code::emit);
    for (int o = 0; o < r.outputs().size(); o++) {
      s.line("y%d.e[j] = %s;", o, code.stored(r.outputs().get(o)));
    }
    s.end();
    for (int o = 0; o < r.outputs().size(); o++) {
      Region.Output out = r.outputs().get(o);
      String offset = Source.offset(index, out.strides(), at);
      s.line("*(%s*)(o%d + %s) = y%d;", Scalars.four(out.dtype()), o, offset, o);
    }
  }

  /** Whether four neighbours along the last dimension lie aligned in every array. */
  private static boolean inFours(Region r, List<Long> offsets) {
    int last = r.dims().size() - 1;
    if (r.dims().get(last) % FOUR != 0) {
      return false;
    }
    for (int i = 0; i < r.operands().size(); i++) {
      Region.Operand o = r.operands().get(i);
      long inner = o.strides().get(last);
      boolean aligned =
          offsets.get(i) % (FOUR * o.dtype().bytes()) == 0
              && o.strides().subList(0, last).stream().allMatch(s -> s % FOUR == 0);
      if (inner != 0 && (inner != 1 || !aligned)) {
        return false;
      }
    }
    return r.outputs().stream()
        .allMatch(o ->
            o.strides().get(last) == 1
                && o.strides().subList(0, last).stream().allMatch(s -> s % FOUR == 0));
  }

  /** How an element of an operand is read. */
  interface Element {
    String of(int operand, String offset);
  }

  /**
   * The values of a nest as C variables.
   *
   * @param index the point's indices
   */
  record Code(Source s, Region r, List<String> index, Positions at, Element element) {
    /** Declares value {@code v}. */
    void emit(int v) {
      Region.Instruction i = r.code().get(v);
      String value =
          switch (i) {
            case Region.Load load -> {
              Region.Operand o = r.operands().get(load.operand());
              String offset = Source.offset(index, o.strides(), at);
              yield Scalars.load(o.dtype(), load.compute(), element.of(load.operand(), offset));
            }
            case Region.Constant c -> Scalars.constant(c.value(), c.compute());
            case Region.Index x ->
                Scalars.convert(DType.I32, x.compute(), "(int)" + index.get(x.dim()));
            case Region.Apply a ->
                Scalars.apply(a.fn(), a.compute(), a.args().stream().map(k -> "v" + k).toList());
            case Region.Convert c ->
                Scalars.convert(r.code().get(c.arg()).compute(), c.compute(), "v" + c.arg());
          };
      s.line("const %s v%d = %s;", Scalars.memory(i.compute()), v, value);
    }

    /** The value of an output as it is stored. */
    String stored(Region.Output o) {
      return Scalars.store(r.code().get(o.value()).compute(), o.dtype(), "v" + o.value());
    }
  }

  /** For each value and dimension, whether it changes along it. */
  static boolean[][] dependencies(Region r) {
    boolean[][] depends = new boolean[r.code().size()][r.dims().size()];
    for (int v = 0; v < depends.length; v++) {
      List<Integer> args = List.of();
      switch (r.code().get(v)) {
        case Region.Load load -> {
          List<Long> strides = r.operands().get(load.operand()).strides();
          for (int d = 0; d < strides.size(); d++) {
            depends[v][d] = strides.get(d) != 0;
          }
        }
        case Region.Constant c -> {}
        case Region.Index x -> depends[v][x.dim()] = true;
        case Region.Apply a -> args = a.args();
        case Region.Convert c -> args = List.of(c.arg());
      }
      for (int a : args) {
        for (int d = 0; d < depends[v].length; d++) {
          depends[v][d] |= depends[a][d];
        }
      }
    }
    return depends;
  }

  /** The function that combines values of a reduction. */
  static ScalarFn combine(Region.Kind kind) {
    return switch (kind) {
      case SUM -> ScalarFn.ADD;
      case MAX -> ScalarFn.MAX;
      case MIN -> ScalarFn.MIN;
    };
  }
}
