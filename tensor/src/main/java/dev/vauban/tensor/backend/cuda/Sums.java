package dev.vauban.tensor.backend.cuda;

import dev.vauban.natives.cuda.LaunchShape;
import dev.vauban.tensor.DType;
import dev.vauban.tensor.backend.cuda.Source.Positions;
import dev.vauban.tensor.backend.fusion.MemoryPlanner;
import dev.vauban.tensor.backend.fusion.Region;
import java.util.ArrayList;
import java.util.List;

/**
 * The kernels of a nest with reductions.
 *
 * <p>The points of a nest are results times terms. A block is a rectangle of both: {@code across}
 * results by {@code down} threads that share the terms of one. Each thread combines its terms in
 * order, in short runs that are then combined with each other, so that rounding errors stay small;
 * the threads of a result combine in a fixed tree in shared memory. Where there are few results,
 * several blocks share the terms of one: each writes what it has, and a second nest over these
 * combines them. Nothing is atomic and the division depends on shapes alone: the same inputs give
 * the same bits, on every card.
 */
final class Sums {
  private static final int THREADS = Nests.THREADS;

  /** Terms that a thread combines before it adds them to what it has. */
  private static final int RUN = 32;

  /** Blocks that keep a large card busy. */
  private static final int BUSY = 512;

  private static final int MOST_PARTS = 128;

  /**
   * How a nest is divided.
   *
   * @param across results of a block
   * @param down threads for each result, a power of two
   * @param parts blocks that share the terms of the same results
   * @param termsFirst whether neighbouring threads have neighbouring terms, not results
   */
  record Division(int across, int down, int parts, boolean termsFirst) {
    /** For so many results of so many terms; the last dimension is one of terms or of results. */
    static Division of(long results, long terms, boolean termsLast) {
      int down;
      if (terms <= 8 || (!termsLast && results >= (long) BUSY * THREADS)) {
        down = 1;
      } else if (termsLast) {
        down = (int) Math.min(THREADS, powerOfTwo(Math.ceilDiv(terms, 4)));
      } else {
        down = (int) Math.min(THREADS / Math.min(32, powerOfTwo(results)), powerOfTwo(terms / 4));
      }
      int across = THREADS / down;
      long blocks = Math.ceilDiv(results, across);
      long parts = Math.min(Math.min(BUSY / blocks, terms / (down * 16L)), MOST_PARTS);
      return new Division(across, down, (int) Math.max(1, parts), termsLast && down > 1);
    }

    /** The smallest power of two that is not less. */
    private static long powerOfTwo(long n) {
      return n <= 1 ? 1 : Long.highestOneBit(n - 1) << 1;
    }
  }

  private final Region r;
  private final Positions at;
  private final List<Integer> kept = new ArrayList<>();
  private final List<Integer> reduced = new ArrayList<>();
  private final long results;
  private final long terms;
  private final Division division;
  private final boolean[] inner; // values that change from term to term

  private Sums(Region r) {
    this.r = r;
    this.at = Nests.positions(r);
    Region.Output reduction =
        r.outputs().stream().filter(Region.Reduction.class::isInstance).findFirst().orElseThrow();
    for (int d = 0; d < r.dims().size(); d++) {
      boolean isKept = reduction.strides().get(d) != 0;
      (isKept || r.dims().get(d) == 1 ? kept : reduced).add(d);
    }
    this.results = size(kept);
    this.terms = size(reduced);
    boolean termsLast = !reduced.isEmpty() && reduced.getLast() == r.dims().size() - 1;
    this.division = Division.of(results, terms, termsLast);
    this.inner = new boolean[r.code().size()];
    boolean[][] depends = Nests.dependencies(r);
    for (int v = 0; v < inner.length; v++) {
      for (int d : reduced) {
        inner[v] |= depends[v][d];
      }
    }
  }

  /** The launches of a nest; see {@link Nests#of}. */
  static Nests.Built of(Region r, List<Long> offsets) {
    return new Sums(r).build(offsets);
  }

  private long size(List<Integer> dims) {
    return dims.stream().mapToLong(r.dims()::get).reduce(1, Math::multiplyExact);
  }

  private Nests.Built build(List<Long> offsets) {
    boolean split = division.parts() > 1;
    List<DType> types = new ArrayList<>();
    List<Launch.Argument> arguments = Nests.arguments(r, offsets);
    List<Launch> launches = new ArrayList<>();
    long scratch = 0;
    for (int o = 0; o < r.outputs().size(); o++) {
      Region.Output out = r.outputs().get(o);
      if (split && out instanceof Region.Reduction reduction) {
        DType type = compute(reduction);
        types.add(type);
        arguments.set(offsets.size() + o, new Launch.Scratch(scratch));
        launches.addAll(combine(reduction, type, scratch, o));
        scratch += MemoryPlanner.align(results * division.parts() * type.bytes());
      } else {
        types.add(out.dtype());
      }
    }
    Kernel kernel = Kernel.of("sum", Nests.parameters(r, types), body(types));
    long blocks = Math.ceilDiv(results, division.across()) * division.parts();
    launches.addFirst(
        new Launch(kernel, LaunchShape.of(Math.toIntExact(blocks), THREADS), arguments));
    return new Nests.Built(launches, scratch);
  }

  private DType compute(Region.Output o) {
    return r.code().get(o.value()).compute();
  }

  /** A nest over [parts, results] for one output. */
  private List<Launch> combine(Region.Reduction o, DType type, long scratch, int write) {
    int n = Math.toIntExact(results);
    boolean one = results == 1;
    Region combine =
        new Region(
            one ? List.of(division.parts()) : List.of(division.parts(), n),
            List.of(new Region.Operand(type, one ? List.of(1L) : List.of((long) n, 1L))),
            List.of(new Region.Load(0, type)),
            List.of(
                new Region.Reduction(o.kind(), 0, o.dtype(), one ? List.of(0L) : List.of(0L, 1L))));
    Sums second = new Sums(combine);
    Kernel kernel =
        Kernel.of(
            "sum", Nests.parameters(combine, List.of(o.dtype())), second.body(List.of(o.dtype())));
    if (second.division.parts() > 1) {
      throw new IllegalStateException("parts of parts");
    }
    long blocks = Math.ceilDiv(results, second.division.across());
    return List.of(
        new Launch(
            kernel,
            LaunchShape.of(Math.toIntExact(blocks), THREADS),
            List.of(new Launch.Scratch(scratch), new Launch.Write(write))));
  }

  private Source body(List<DType> types) {
    Source s = new Source();
    int across = division.across();
    int down = division.down();
    int parts = division.parts();
    if (division.termsFirst()) {
      s.line("const v_u32 y = threadIdx.x %% %du, x = threadIdx.x / %du;", down, down);
    } else {
      s.line("const v_u32 x = threadIdx.x %% %du, y = threadIdx.x / %du;", across, across);
    }
    String block = parts > 1 ? "(blockIdx.x / " + parts + "u)" : "blockIdx.x";
    s.line("const %s k = (%s)%s * %du + x;", at.type(), at.type(), block, across);
    if (parts > 1) {
      s.line("const v_u32 part = blockIdx.x %% %du;", parts);
    }
    for (int o = 0; o < r.outputs().size(); o++) {
      if (r.outputs().get(o) instanceof Region.Reduction reduction) {
        s.line("%s sum%d = %s;", Scalars.memory(compute(reduction)), o, first(reduction));
      }
    }
    s.line("if (k < %s) {", at.of(results));
    terms(s);
    s.end();
    for (int o = 0; o < r.outputs().size(); o++) {
      if (r.outputs().get(o) instanceof Region.Reduction reduction) {
        result(s, o, reduction, types.get(o));
      }
    }
    return s;
  }

  /** Every thread's own terms. */
  private void terms(Source s) {
    List<String> index = new ArrayList<>();
    r.dims().forEach(d -> index.add(at.of(0)));
    place(s.indices("k", sizes(kept), "i", at), kept, index);
    Nests.Code outer = new Nests.Code(s, r, index, at, (i, offset) -> "a" + i + "[" + offset + "]");
    for (int v = 0; v < inner.length; v++) {
      if (!inner[v]) {
        outer.emit(v);
      }
    }
    String t = at.type();
    int parts = division.parts();
    long part = Math.ceilDiv(terms, parts);
    if (parts > 1) {
      s.line("const %s begin = part * %s;", t, at.of(part));
      s.line(
          "const %s end = begin + %s < %s ? begin + %s : %s;",
          t, at.of(part), at.of(terms), at.of(part), at.of(terms));
    } else {
      s.line("const %s begin = 0, end = %s;", t, at.of(terms));
    }
    long run = (long) division.down() * RUN;
    s.line("for (%s first = begin; first < end; first += %s) {", t, at.of(run));
    s.line("const %s last = end - first < %s ? end : first + %s;", t, at.of(run), at.of(run));
    for (int o = 0; o < r.outputs().size(); o++) {
      if (r.outputs().get(o) instanceof Region.Reduction reduction) {
        s.line("%s run%d = %s;", Scalars.memory(compute(reduction)), o, first(reduction));
      }
    }
    s.line("for (%s j = first + y; j < last; j += %du) {", t, division.down());
    place(s.indices("j", sizes(reduced), "j", at), reduced, index);
    for (int v = 0; v < inner.length; v++) {
      if (inner[v]) {
        outer.emit(v);
      }
    }
    for (int o = 0; o < r.outputs().size(); o++) {
      Region.Output out = r.outputs().get(o);
      if (out instanceof Region.Reduction reduction) {
        s.line("run%d = %s;", o, combined(reduction, "run" + o, "v" + out.value()));
      } else {
        s.line("o%d[%s] = %s;", o, Source.offset(index, out.strides(), at), outer.stored(out));
      }
    }
    s.end();
    for (int o = 0; o < r.outputs().size(); o++) {
      if (r.outputs().get(o) instanceof Region.Reduction reduction) {
        s.line("sum%d = %s;", o, combined(reduction, "sum" + o, "run" + o));
      }
    }
    s.end();
  }

  private List<Integer> sizes(List<Integer> dims) {
    return dims.stream().map(r.dims()::get).toList();
  }

  private static void place(List<String> names, List<Integer> dims, List<String> index) {
    for (int i = 0; i < dims.size(); i++) {
      index.set(dims.get(i), names.get(i));
    }
  }

  /** The threads of a result combine what they have; the first one stores it. */
  private void result(Source s, int o, Region.Reduction reduction, DType stored) {
    int across = division.across();
    int down = division.down();
    String value = "sum" + o;
    if (down > 1) {
      String type = Scalars.memory(compute(reduction));
      String step = division.termsFirst() ? "h" : "h * " + across + "u";
      s.line("__shared__ %s shared%d[%d];", type, o, THREADS);
      s.line("shared%d[threadIdx.x] = sum%d;", o, o);
      s.line("__syncthreads();");
      s.line("for (v_u32 h = %du; h > 0; h /= 2u) {", down / 2);
      s.line("if (y < h) {");
      String mine = "shared" + o + "[threadIdx.x]";
      String other = "shared" + o + "[threadIdx.x + " + step + "]";
      s.line("%s = %s;", mine, combined(reduction, mine, other));
      s.end();
      s.line("__syncthreads();");
      s.end();
      value = mine;
    }
    s.line("if (k < %s && y == 0) {", at.of(results));
    String to = "k";
    if (division.parts() > 1) {
      to = "part * " + at.of(results) + " + k";
    }
    s.line("o%d[%s] = %s;", o, to, Scalars.store(compute(reduction), stored, value));
    s.end();
  }

  private String combined(Region.Reduction o, String a, String b) {
    return Scalars.apply(Nests.combine(o.kind()), compute(o), List.of(a, b));
  }

  private String first(Region.Reduction o) {
    return switch (o.kind()) {
      case SUM -> Scalars.constant(0, compute(o));
      case MAX -> Scalars.lowest(compute(o));
      case MIN -> Scalars.highest(compute(o));
    };
  }
}
