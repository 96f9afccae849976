package dev.vauban.tensor.backend.cuda;

import dev.vauban.natives.cuda.LaunchShape;
import dev.vauban.tensor.DType;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.ReduceOp;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.backend.cuda.Source.Positions;
import java.util.ArrayList;
import java.util.List;

/**
 * Places of largest elements, and orders. An element becomes an integer, its order in the upper
 * half and its index in the lower: then all items differ, and every way of sorting is stable.
 */
final class Orders {
  private static final int THREADS = 256;

  /** Elements from which on a block, not a thread, looks for the largest. */
  private static final int LONG_LINE = 512;

  /** Elements up to which each counts those before it; above, lines are sorted step by step. */
  private static final int COUNTED = 4096;

  /** Elements that a block sorts in shared memory. */
  private static final int CHUNK = 1024;

  private Orders() {}

  /** The three sizes of x[outer, length, inner] and how its positions are counted. */
  private record Lines(Shape x, int axis) {
    long outer() {
      return Movement.around(x, axis)[0];
    }

    int length() {
      return x.dim(axis);
    }

    long inner() {
      return Movement.around(x, axis)[1];
    }

    long count() {
      return outer() * inner();
    }

    Positions at() {
      return Positions.upTo(Math.max(x.size(), count()));
    }

    /** Declares {@code line}'s outer and inner index {@code o} and {@code i}. */
    void split(Source s) {
      s.line("const %s i = line %% %s;", at().type(), at().of(inner()));
      s.line("const %s o = line / %s;", at().type(), at().of(inner()));
    }

    /** Element {@code j} of the line. */
    String element(String j) {
      return "x[(o * %s + (%s)%s) * %s + i]"
          .formatted(at().of(length()), at().type(), j, at().of(inner()));
    }
  }

  private static String key(DType type, String element) {
    DType compute = Scalars.compute(type);
    return Scalars.order(compute, Scalars.load(type, compute, element));
  }

  static Nests.Built argReduce(Expr e, ReduceOp.ArgReduce r) {
    DType type = e.input(0).dtype();
    Lines l = new Lines(e.input(0).shape(), r.axis());
    boolean wide = type == DType.F64;
    boolean block = !wide && l.length() >= LONG_LINE;
    String nan = wide ? "~0ull" : "0xffffffffull";
    String parameters =
        Elementwise.in(Scalars.memory(type), "x") + ", " + Elementwise.out("int", "y");
    // NaN has the largest key and wins; for a minimum the others are turned around.
    String turned = wide ? "~key - 1ull" : "0xfffffffeull - key";
    String turn =
        r.kind() == ReduceOp.Kind.MAX
            ? "key"
            : type == DType.I32
                ? "0xffffffffull - key"
                : "(key == " + nan + " ? key : " + turned + ")";
    if (!block) {
      return Elementwise.of(
          "argReduce",
          parameters,
          Elementwise.arguments(1),
          l.count(),
          l.at(),
          s -> {
            s.line("const %s line = p;", l.at().type());
            l.split(s);
            s.line("v_u64 best = 0;").line("int found = 0;");
            s.line("for (int j = 0; j < %d; j++) {", l.length());
            s.line("const v_u64 key = %s;", key(type, l.element("j")));
            s.line("const v_u64 place = %s;", turn);
            s.line("if (j == 0 || place > best) {");
            s.line("best = place;").line("found = j;");
            s.end().end();
            s.line("y[p] = found;");
          });
    }
    Source s = new Source();
    s.line("__shared__ v_u64 items[%d];", THREADS);
    s.line("const %s line = blockIdx.x;", l.at().type());
    l.split(s);
    s.line("v_u64 best = 0;");
    s.line("for (v_u32 j = threadIdx.x; j < %du; j += %du) {", l.length(), THREADS);
    s.line("const v_u64 key = %s;", key(type, l.element("j")));
    s.line("const v_u64 item = %s << 32 | (0xffffffffu - j);", turn);
    s.line("best = item > best ? item : best;");
    s.end();
    s.line("items[threadIdx.x] = best;");
    s.line("__syncthreads();");
    s.line("for (v_u32 h = %du; h > 0; h /= 2u) {", THREADS / 2);
    s.line("if (threadIdx.x < h && items[threadIdx.x + h] > items[threadIdx.x]) {");
    s.line("items[threadIdx.x] = items[threadIdx.x + h];");
    s.end();
    s.line("__syncthreads();");
    s.end();
    s.line("if (threadIdx.x == 0) {");
    s.line("y[line] = (int)(0xffffffffu - (v_u32)items[0]);");
    s.end();
    return one(
        new Launch(
            Kernel.of("argReduce", parameters, s),
            LaunchShape.of(Math.toIntExact(l.count()), THREADS),
            Elementwise.arguments(1)));
  }

  private static Nests.Built one(Launch launch) {
    return new Nests.Built(List.of(launch), 0);
  }

  static Nests.Built argSort(Expr e, ReduceOp.ArgSort r) {
    DType type = e.input(0).dtype();
    Lines l = new Lines(e.input(0).shape(), r.axis());
    String flip = r.order() == ReduceOp.Order.ASCENDING ? "" : type == DType.F64 ? "~" : "~(v_u32)";
    return type != DType.F64 && l.length() > COUNTED
        ? sorted(l, type, flip, r.k())
        : counted(l, type, flip, r.k());
  }

  /** Each thread counts the elements that come before its own: that is where it belongs. */
  private static Nests.Built counted(Lines l, DType type, String flip, int k) {
    Source s = new Source();
    long chunks = Math.ceilDiv(l.length(), THREADS);
    s.line("__shared__ v_u64 keys[%d];", THREADS);
    s.line("const %s line = (%s)blockIdx.x / %du;", l.at().type(), l.at().type(), chunks);
    l.split(s);
    s.line("const v_u32 own = blockIdx.x %% %du * %du + threadIdx.x;", chunks, THREADS);
    s.line("v_u64 mine = 0;");
    s.line("if (own < %du) {", l.length());
    s.line("mine = %s%s;", flip, key(type, l.element("own")));
    s.end();
    s.line("v_u32 before = 0;");
    s.line("for (v_u32 first = 0; first < %du; first += %du) {", l.length(), THREADS);
    s.line("if (first + threadIdx.x < %du) {", l.length());
    s.line("keys[threadIdx.x] = %s%s;", flip, key(type, l.element("(first + threadIdx.x)")));
    s.end();
    s.line("__syncthreads();");
    s.line(
        "const v_u32 n = %du - first < %du ? %du - first : %du;",
        l.length(), THREADS, l.length(), THREADS);
    s.line("for (v_u32 j = 0; j < n; j++) {");
    s.line("before += keys[j] < mine || (keys[j] == mine && first + j < own);");
    s.end();
    s.line("__syncthreads();");
    s.end();
    s.line("if (own < %du && before < %du) {", l.length(), k);
    s.line("y[(o * %s + before) * %s + i] = (int)own;", l.at().of(k), l.at().of(l.inner()));
    s.end();
    return one(
        new Launch(
            Kernel.of(
                "argSort",
                Elementwise.in(Scalars.memory(type), "x") + ", " + Elementwise.out("int", "y"),
                s),
            LaunchShape.of(Math.toIntExact(l.count() * chunks), THREADS),
            Elementwise.arguments(1)));
  }

  // Batcher's bitonic sort: chunks in shared memory, then pairs ever nearer to each other.

  private static Nests.Built sorted(Lines l, DType type, String flip, int k) {
    int size = Integer.highestOneBit(l.length() - 1) << 1; // with items that come last
    long items = l.count() * size;
    Positions at = Positions.upTo(items);
    Launch.Argument scratch = new Launch.Scratch(0);
    List<Launch> launches = new ArrayList<>();
    launches.add(
        Elementwise.launch(
            "items",
            Elementwise.in(Scalars.memory(type), "x") + ", " + Elementwise.out("v_u64", "items"),
            List.of(new Launch.Read(0, 0), scratch),
            items,
            at,
            s -> {
              s.line("const %s line = p / %s;", at.type(), at.of(size));
              s.line("const v_u32 j = (v_u32)(p %% %s);", at.of(size));
              l.split(s);
              s.line("if (j >= %du) {", l.length());
              s.line("items[p] = ~0ull;").line("return;").end();
              s.line("const v_u64 key = %s%s;", flip, key(type, l.element("j")));
              s.line("items[p] = key << 32 | j;");
            }));
    int blocks = Math.toIntExact(items / CHUNK);
    launches.add(chunk(blocks, size, scratch, 2, CHUNK));
    for (long width = 2L * CHUNK; width <= size; width *= 2) {
      for (long distance = width / 2; distance >= CHUNK; distance /= 2) {
        launches.add(step(items, size, scratch, (int) width, (int) distance));
      }
      launches.add(chunk(blocks, size, scratch, (int) width, (int) width));
    }
    long kept = l.count() * k;
    launches.add(
        Elementwise.launch(
            "indices",
            Elementwise.in("v_u64", "items") + ", " + Elementwise.out("int", "y"),
            List.of(scratch, new Launch.Write(0)),
            kept,
            at,
            s -> {
              s.line("const %s i = p %% %s;", at.type(), at.of(l.inner()));
              s.line("const %s j = p / %s %% %s;", at.type(), at.of(l.inner()), at.of(k));
              s.line("const %s o = p / %s;", at.type(), at.of(l.inner() * k));
              s.line(
                  "y[p] = (int)(v_u32)items[(o * %s + i) * %s + j];",
                  at.of(l.inner()), at.of(size));
            }));
    return new Nests.Built(launches, items * Long.BYTES);
  }

  /** Pairs within chunks, for runs of {@code from} up to {@code to} items. */
  private static Launch chunk(int blocks, int size, Launch.Argument items, int from, int to) {
    Source s = new Source();
    s.line("__shared__ v_u64 chunk[%d];", CHUNK);
    s.line("v_u64* mine = items + (v_u64)blockIdx.x * %du;", CHUNK);
    s.line("for (v_u32 t = threadIdx.x; t < %du; t += %du) {", CHUNK, THREADS);
    s.line("chunk[t] = mine[t];").end();
    s.line("__syncthreads();");
    s.line("const v_u32 place = (v_u32)((v_u64)blockIdx.x * %du %% %du);", CHUNK, size);
    s.line("for (v_u32 width = (v_u32)from; width <= (v_u32)to; width *= 2u) {");
    s.line("for (v_u32 d = width > %du ? %du : width / 2u; d > 0; d /= 2u) {", CHUNK, CHUNK / 2);
    s.line("for (v_u32 t = threadIdx.x; t < %du; t += %du) {", CHUNK / 2, THREADS);
    s.line("const v_u32 a = t / d * 2u * d + t % d, b = a + d;");
    s.line("const int up = ((place + a) & width) == 0;");
    s.line("if ((chunk[a] > chunk[b]) == up) {");
    s.line("const v_u64 x = chunk[a];").line("chunk[a] = chunk[b];").line("chunk[b] = x;");
    s.end().end();
    s.line("__syncthreads();");
    s.end().end();
    s.line("for (v_u32 t = threadIdx.x; t < %du; t += %du) {", CHUNK, THREADS);
    s.line("mine[t] = chunk[t];").end();
    return new Launch(
        Kernel.of("sortChunk", "v_u64* items, int from, int to", s),
        LaunchShape.of(blocks, THREADS),
        List.of(items, new Launch.Number(from), new Launch.Number(to)));
  }

  private static Launch step(
      long items, int size, Launch.Argument memory, int width, int distance) {
    Positions at = Positions.upTo(items);
    return Elementwise.launch(
        "sortStep",
        "v_u64* items, int width, int distance",
        List.of(memory, new Launch.Number(width), new Launch.Number(distance)),
        items / 2,
        at,
        s -> {
          s.line("const %s d = (%s)distance;", at.type(), at.type());
          s.line("const %s a = p / d * 2u * d + p %% d, b = a + d;", at.type());
          s.line("const int up = (a %% %s & (%s)width) == 0;", at.of(size), at.type());
          s.line("const v_u64 x = items[a], y = items[b];");
          s.line("if ((x > y) == up) {");
          s.line("items[a] = y;").line("items[b] = x;").end();
        });
  }
}
