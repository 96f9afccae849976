package dev.vauban.tensor.backend.cuda;

import dev.vauban.natives.cuda.LaunchShape;
import dev.vauban.tensor.DType;
import dev.vauban.tensor.backend.cuda.Source.Positions;
import dev.vauban.tensor.backend.fusion.MemoryPlanner;
import dev.vauban.tensor.backend.fusion.Region;
import java.util.ArrayList;
import java.util.List;

/**
 * Kernels for {@link Product}s in tiles of shared memory: by threads, each with a small square of
 * results in registers, or by tensor cores. While a tile's terms are multiplied, the next ones are
 * on their way from memory. Where blocks share a tile, each writes its sums, and a nest adds them.
 */
final class Products {
  /** What multiplies. */
  enum Unit {
    /** Ordinary arithmetic in the operands' precision, sums of BF16 in F32. */
    THREADS,
    /** Tensor cores on BF16 operands: exact products, sums in F32. */
    BF16,
    /** Tensor cores on F32 operands rounded to ten bits of fraction, sums in F32. */
    TF32
  }

  private static final int WARP = 32;
  private static final int WARPS = 4;
  private static final int PAD = 4;
  private static final int MMA_ROWS = 16; // of one instruction's results
  private static final int MMA_COLUMNS = 8;
  private static final int FOUR = 4;

  private final Product p;
  private final Unit unit;
  private final Tiling t;
  private final Positions at;
  private final DType compute;
  private final Factors factors;

  private Products(Product p, Unit unit, long elements) {
    this.p = p;
    this.unit = unit;
    this.t =
        switch (unit) {
          case THREADS -> Tiling.ofThreads(p);
          case BF16 -> Tiling.ofTensorCores(p, 32, 16);
          case TF32 -> Tiling.ofTensorCores(p, 16, 8);
        };
    long most = Math.max(Math.max(p.m(), p.n()), Math.max(p.k(), elements));
    this.at = Positions.upTo(most + t.rows() + t.columns() + t.terms());
    this.compute = Scalars.compute(p.a().type());
    this.factors = new Factors(p, unit, t, at);
  }

  /**
   * The launches of a product.
   *
   * @param operands which input holds a, which holds b
   * @param elements of the largest of the three arrays
   * @param results elements of c's array
   */
  static Nests.Built of(Product p, Unit unit, int[] operands, long elements, long results) {
    Products made = new Products(p, unit, elements);
    Launch.Argument a = new Launch.Read(operands[0], 0);
    Launch.Argument b = new Launch.Read(operands[1], 0);
    int threads =
        unit == Unit.THREADS
            ? made.t.rows() / made.t.threadRows() * (made.t.columns() / made.t.threadColumns())
            : WARP * WARPS;
    LaunchShape shape = LaunchShape.of(Math.toIntExact(made.t.blocks(p)), threads);
    if (made.t.parts() == 1) {
      Kernel k = made.kernel(p.c().type(), threads, results);
      return new Nests.Built(List.of(new Launch(k, shape, List.of(a, b, new Launch.Write(0)))), 0);
    }
    Kernel k = made.kernel(made.compute, threads, results);
    List<Launch> launches = new ArrayList<>();
    launches.add(new Launch(k, shape, List.of(a, b, new Launch.Scratch(0))));
    int parts = made.t.parts();
    Region sum =
        new Region(
            List.of(parts, Math.toIntExact(results)),
            List.of(new Region.Operand(made.compute, List.of(results, 1L))),
            List.of(new Region.Load(0, made.compute)),
            List.of(new Region.Reduction(Region.Kind.SUM, 0, p.c().type(), List.of(0L, 1L))));
    if (results == 1) {
      sum =
          new Region(
              List.of(parts),
              List.of(new Region.Operand(made.compute, List.of(1L))),
              sum.code(),
              List.of(new Region.Reduction(Region.Kind.SUM, 0, p.c().type(), List.of(0L))));
    }
    List<Launch> adding = Nests.of(sum, List.of(0L)).launches();
    if (adding.size() != 1) {
      throw new IllegalStateException("parts of parts");
    }
    Launch l = adding.getFirst();
    launches.add(
        new Launch(l.kernel(), l.shape(), List.of(new Launch.Scratch(0), new Launch.Write(0))));
    return new Nests.Built(launches, MemoryPlanner.align(parts * results * made.compute.bytes()));
  }

  private Kernel kernel(DType stored, int threads, long results) {
    Source s = new Source();
    begin(s, results);
    if (unit == Unit.THREADS) {
      byThreads(s, threads, stored, results);
    } else {
      byTensorCores(s, threads, stored, results);
    }
    String parameters =
        "const %s* __restrict__ a, const %s* __restrict__ b, %s* __restrict__ c"
            .formatted(
                Scalars.memory(p.a().type()), Scalars.memory(p.b().type()), Scalars.memory(stored));
    return Kernel.of(
        unit == Unit.THREADS ? "product" : unit == Unit.BF16 ? "mmaBf16" : "mmaTf32",
        factors.reader("a", p.a())
            + factors.reader("b", p.b())
            + Kernel.SIGNATURE
            + parameters
            + ") {\n"
            + s
            + "}\n");
  }

  /** Which tile, which part of its terms; a, b and c moved to the batch's matrices. */
  private void begin(Source s, long results) {
    long across = Math.ceilDiv(p.n(), t.columns());
    long down = Math.ceilDiv(p.m(), t.rows());
    s.line("v_u32 block = blockIdx.x;");
    s.line("const %s n0 = (%s)(block %% %du) * %du;", at.type(), at.type(), across, t.columns());
    s.line("block /= %du;", across);
    s.line("const %s m0 = (%s)(block %% %du) * %du;", at.type(), at.type(), down, t.rows());
    s.line("block /= %du;", down);
    if (t.parts() > 1) {
      String part = at.of(t.termsOfPart(p));
      s.line("const %s part = block %% %du;", at.type(), t.parts());
      s.line("block /= %du;", t.parts());
      s.line("const %s begin = part * %s;", at.type(), part);
      s.line(
          "const %s end = begin + %s < %s ? begin + %s : %s;",
          at.type(), part, at.of(p.k()), part, at.of(p.k()));
      s.line("c += part * %s;", at.of(results));
    } else {
      s.line("const %s begin = 0, end = %s;", at.type(), at.of(p.k()));
    }
    List<String> i = s.indices("block", p.batch(), "batch", at);
    s.line("a += %s;", Source.offset(i, p.a().batchStrides(), at));
    s.line("b += %s;", Source.offset(i, p.b().batchStrides(), at));
    s.line("c += %s;", Source.offset(i, p.c().batchStrides(), at));
  }

  /**
   * A tile in shared memory.
   *
   * @param side rows of a or columns of b
   * @param words of terms
   * @param termsLie whether words of neighbouring terms lie together, else those of places
   * @param pad words between its lines, so that what threads take at once is in different banks
   */
  record Shared(String name, int side, int words, boolean termsLie, int pad) {
    void declare(Source s, String type) {
      s.line(
          "__shared__ __align__(16) %s %s[%d][%d];", type, name, termsLie ? side : words, line());
    }

    private int line() {
      return (termsLie ? words : side) + pad;
    }

    /** Words from the beginning of the tile to one of its words. */
    int index(int own, int word) {
      return termsLie ? own * line() + word : word * line() + own;
    }

    String at(String own, String word) {
      return termsLie
          ? "%s[%s][%s]".formatted(name, own, word)
          : "%s[%s][%s]".formatted(name, word, own);
    }
  }

  /** The loop over terms around the code that multiplies what is in shared memory. */
  private void loop(Source s, int threads, int perWord, Shared as, Shared bs, Runnable multiply) {
    Factors.Fetch a = factors.left(perWord);
    Factors.Fetch b = factors.right(perWord);
    s.line("%s ra[%d], rb[%d];", factors.value(), a.registers(threads), b.registers(threads));
    factors.read(s, a, threads, "begin");
    factors.read(s, b, threads, "begin");
    s.line("for (%s k0 = begin; k0 < end; k0 += %du) {", at.type(), t.terms());
    factors.put(s, a, threads, as::at, as.termsLie());
    factors.put(s, b, threads, bs::at, bs.termsLie());
    s.line("__syncthreads();");
    s.line("if (k0 + %du < end) {", t.terms());
    factors.read(s, a, threads, "(k0 + " + t.terms() + "u)");
    factors.read(s, b, threads, "(k0 + " + t.terms() + "u)");
    s.end();
    multiply.run();
    s.line("__syncthreads();");
    s.end();
  }

  private void store(Source s, String row, String column, String value, DType stored) {
    s.line("if (%s < %s && %s < %s) {", row, at.of(p.m()), column, at.of(p.n()));
    Product.Place place = p.c().place(s, row, column, at);
    s.line("c[%s] = %s;", place.offset(), Scalars.store(compute, stored, value));
    s.end();
  }

  // One result after the other.

  private void byThreads(Source s, int threads, DType stored, long results) {
    int tr = t.threadRows();
    int tc = t.threadColumns();
    int wide = t.columns() / tc;
    String type = factors.value();
    String plus = Scalars.multiplyAdd(compute, "x[i]", "y[j]", "sum[i][j]");
    Shared as = new Shared("as", t.rows(), t.terms(), false, PAD);
    Shared bs = new Shared("bs", t.columns(), t.terms(), false, PAD);
    as.declare(s, type);
    bs.declare(s, type);
    s.line("const v_u32 tx = threadIdx.x %% %du, ty = threadIdx.x / %du;", wide, wide);
    s.line("%s sum[%d][%d];", type, tr, tc);
    each(s, "i", tr, () -> each(s, "j", tc, () -> s.line("sum[i][j] = 0;")));
    loop(
        s,
        threads,
        1,
        as,
        bs,
        () -> {
          s.line("#pragma unroll");
          s.line("for (v_u32 k = 0; k < %du; k++) {", t.terms());
          s.line("%s x[%d], y[%d];", type, tr, tc);
          registers(s, "x", "as", "ty", tr, t.rows());
          registers(s, "y", "bs", "tx", tc, t.columns());
          each(s, "i", tr, () -> each(s, "j", tc, () -> s.line("sum[i][j] = %s;", plus)));
          s.end();
        });
    int together = storesFours(results) ? FOUR : 1;
    s.line("#pragma unroll");
    s.line("for (v_u32 i = 0; i < %du; i++) {", tr);
    s.line("#pragma unroll");
    s.line("for (v_u32 j = 0; j < %du; j += %du) {", tc, together);
    s.line(
        "const %s row = m0 + %s, column = n0 + %s;",
        at.type(), spread("ty", "i", tr, t.rows()), spread("tx", "j", tc, t.columns()));
    if (together == FOUR) {
      storeFour(s, stored);
    } else {
      store(s, "row", "column", "sum[i][j]", stored);
    }
    s.end();
    s.end();
  }

  /** Whether four neighbouring results of a thread are one aligned piece of memory, or none is. */
  private boolean storesFours(long results) {
    return t.threadColumns() % FOUR == 0
        && p.n() % FOUR == 0
        && p.c().rowsLie()
        && p.c().inFours()
        && (t.parts() == 1 || results % FOUR == 0);
  }

  private void storeFour(Source s, DType stored) {
    s.line("if (row < %s && column < %s) {", at.of(p.m()), at.of(p.n()));
    Product.Place place = p.c().place(s, "row", "column", at);
    String four = Scalars.four(stored);
    s.line("%s y;", four);
    for (int q = 0; q < FOUR; q++) {
      s.line("y.e[%d] = %s;", q, Scalars.store(compute, stored, "sum[i][j + " + q + "]"));
    }
    s.line("*(%s*)(c + %s) = y;", four, place.offset());
    s.end();
  }

  /** Reads a thread's rows or columns of a term, in fours where there are as many. */
  private void registers(Source s, String to, String from, String thread, int each, int all) {
    if (each % FOUR != 0) {
      each(
          s,
          "i",
          each,
          () -> s.line("%s[i] = %s[k][%s];", to, from, spread(thread, "i", each, all)));
      return;
    }
    String four = Scalars.four(compute);
    for (int g = 0; g < each / FOUR; g++) {
      String first = spread(thread, Integer.toString(g * FOUR) + "u", each, all);
      s.line("const %s %s%d = *(const %s*)&%s[k][%s];", four, to, g, four, from, first);
      for (int i = 0; i < FOUR; i++) {
        s.line("%s[%d] = %s%d.e[%d];", to, g * FOUR + i, to, g, i);
      }
    }
  }

  private static void each(Source s, String i, int n, Runnable body) {
    s.line("#pragma unroll");
    s.line("for (v_u32 %s = 0; %s < %du; %s++) {", i, i, n, i);
    body.run();
    s.end();
  }

  /** The i-th of a thread's rows: in fours, which one instruction reads from shared memory. */
  private static String spread(String thread, String i, int each, int all) {
    int group = Math.min(4, each);
    return each <= 4
        ? "%s * %du + %s".formatted(thread, group, i)
        : "%s / 4u * %du + %s * 4u + %s %% 4u".formatted(i, all / (each / 4), thread, i);
  }

  // Tensor cores: mma instructions on fragments whose places the PTX manual gives.

  /**
   * A tile lies in shared memory as its threads fill it, so that they store what they read at once.
   * The eight groups of a warp take eight places, the four members four words of each: lines that
   * are 4 (or 12) words longer than a multiple of 16 keep these in 32 banks where terms lie
   * together, lines 8 longer than a multiple of 32 where places do.
   */
  static Shared shared(String name, int side, int words, boolean termsLie) {
    return new Shared(name, side, words, termsLie, termsLie ? PAD : placesPad(side));
  }

  private static int placesPad(int side) {
    return Math.floorMod(8 - side, WARP);
  }

  private void byTensorCores(Source s, int threads, DType stored, long results) {
    int perWord = unit == Unit.BF16 ? 2 : 1;
    int words = t.terms() / perWord;
    int down = t.threadRows() / MMA_ROWS;
    int across = t.threadColumns() / MMA_COLUMNS;
    int warpsAcross = t.columns() / t.threadColumns();
    Shared as = shared("as", t.rows(), words, factors.left(perWord).termsLie());
    Shared bs = shared("bs", t.columns(), words, factors.right(perWord).termsLie());
    as.declare(s, "v_u32");
    bs.declare(s, "v_u32");
    s.line("const v_u32 warp = threadIdx.x / 32u, lane = threadIdx.x % 32u;");
    s.line("const v_u32 group = lane / 4u, member = lane % 4u;");
    s.line(
        "const v_u32 top = warp / %du * %du, left = warp %% %du * %du;",
        warpsAcross, t.threadRows(), warpsAcross, t.threadColumns());
    s.line("float sum[%d][%d][4];", down, across);
    fragments(s, down, across, () -> each(s, "q", 4, () -> s.line("sum[i][j][q] = 0;")));
    String mma = unit == Unit.BF16 ? "v_mma_bf16" : "v_mma_tf32";
    String row = "top + i * 16u + group + q % 2u * 8u";
    String column = "left + j * 8u + group";
    loop(
        s,
        threads,
        perWord,
        as,
        bs,
        () -> {
          s.line("#pragma unroll");
          s.line("for (v_u32 k = 0; k < %du; k += 8u) {", words);
          s.line("v_u32 x[%d][4], y[%d][2];", down, across);
          String a = as.at(row, "k + member + q / 2u * 4u");
          each(s, "i", down, () -> each(s, "q", 4, () -> s.line("x[i][q] = %s;", a)));
          String b = bs.at(column, "k + member + q * 4u");
          each(s, "j", across, () -> each(s, "q", 2, () -> s.line("y[j][q] = %s;", b)));
          fragments(s, down, across, () -> s.line("%s(sum[i][j], x[i], y[j]);", mma));
          s.end();
        });
    boolean pairs = storesFours(results) && stored == DType.F32;
    fragments(
        s,
        down,
        across,
        () -> {
          s.line("#pragma unroll");
          s.line("for (v_u32 q = 0; q < 4u; q += %du) {", pairs ? 2 : 1);
          s.line("const %s row = m0 + top + i * 16u + group + q / 2u * 8u;", at.type());
          s.line("const %s column = n0 + left + j * 8u + member * 2u + q %% 2u;", at.type());
          if (pairs) {
            storePair(s);
          } else {
            store(s, "row", "column", "sum[i][j][q]", stored);
          }
          s.end();
        });
  }

  /** Runs over the 16 x 8 results of each instruction of a warp. */
  private static void fragments(Source s, int down, int across, Runnable body) {
    each(s, "i", down, () -> each(s, "j", across, body));
  }

  private void storePair(Source s) {
    s.line("if (row < %s && column < %s) {", at.of(p.m()), at.of(p.n()));
    Product.Place place = p.c().place(s, "row", "column", at);
    s.line("v_f32x2 y;");
    s.line("y.e[0] = sum[i][j][q];").line("y.e[1] = sum[i][j][q + 1u];");
    s.line("*(v_f32x2*)(c + %s) = y;", place.offset());
    s.end();
  }
}
