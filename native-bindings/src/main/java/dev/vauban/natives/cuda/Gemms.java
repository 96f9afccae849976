package dev.vauban.natives.cuda;

import dev.vauban.natives.cuda.GemmPlan.Algorithm;
import dev.vauban.natives.cuda.generated.CublasLtCalls;
import dev.vauban.natives.load.Symbols;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Matrix products on one card, each by the fastest of the library's algorithms, as measured the
 * first time. Owns the workspace: the products of one object must not run at the same time, so
 * there is one object per stream. To be used from one thread at a time.
 */
public final class Gemms implements AutoCloseable {
  private static final System.Logger LOG = System.getLogger("dev.vauban.natives");

  /** What NVIDIA advises for its newest cards; older ones need less. */
  private static final long WORKSPACE_BYTES = 32L << 20;

  private static final int MOST_ALGORITHMS = 8;
  private static final int REPEATS = 3;
  private static final int ALGORITHM_BYTES = 64;

  /** 1.0 twice as bf16, 1.0019 as f32: numbers that no arithmetic unit finds easier than others. */
  private static final int FILLING = 0x3F80_3F80;

  /** A product made ready: running it allocates nothing and may be captured. */
  public interface Gemm {
    /** Which. */
    GemmSpec spec();

    /** The algorithm that was chosen and why, for a plan's listing. */
    String description();

    /**
     * Queues {@code c = a * b}.
     *
     * @throws IllegalArgumentException unless the addresses on the card are multiples of 16
     */
    void run(CudaStream stream, long a, long b, long c);
  }

  private final CublasLt lt;
  private final CudaContext context;
  private final CardChoices choices;
  private final MemorySegment handle;
  private final long workspace;
  private final Map<GemmSpec, Prepared> prepared = new HashMap<>();
  private boolean closed;

  Gemms(CublasLt lt, CudaContext context, Path folder) {
    this.lt = lt;
    this.context = context;
    this.choices = new CardChoices(folder, context.card().name() + ", cuBLASLt " + lt.version());
    this.workspace = context.allocate(WORKSPACE_BYTES, "the workspace of matrix products");
    Symbols symbols = context.use();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
      lt.check(CublasLtCalls.cublasLtCreate(lt.symbols(), out), "cublasLtCreate", context.card());
      this.handle = out.get(ValueLayout.ADDRESS, 0);
    } catch (RuntimeException | Error e) {
      context.free(workspace);
      throw e;
    }
    context.keep(this, this::end);
  }

  /**
   * A product made ready; measured on {@code stream} (outside captures) unless it is remembered.
   *
   * @throws IllegalArgumentException if c is transposed or shared by the batch
   * @throws CudaException if the library has no code for it
   */
  public Gemm prepare(GemmSpec spec, CudaStream stream) {
    if (closed) {
      throw new IllegalStateException("these matrix products are closed");
    }
    if (spec.c().order() != GemmSpec.Order.ROWS
        || spec.batch() > 1 && spec.c().batchStride() == 0) {
      throw new IllegalArgumentException(
          "the results of a product lie row after row, each in its own place; these do not: "
              + spec);
    }
    Prepared known = prepared.get(spec);
    if (known == null) {
      known = make(spec, stream);
      prepared.put(spec, known);
    }
    return known;
  }

  private Prepared make(GemmSpec spec, CudaStream stream) {
    context.use();
    GemmPlan plan = new GemmPlan(lt, spec);
    try {
      Optional<byte[]> remembered = choices.find(spec.toString(), ALGORITHM_BYTES);
      if (remembered.isPresent()) {
        long needed = plan.workspaceOf(remembered.get(), handle);
        if (needed >= 0 && needed <= WORKSPACE_BYTES) {
          Algorithm known = new Algorithm(remembered.get(), needed);
          measure(spec, plan, List.of(known), stream);
          plan.use(known);
          return new Prepared(spec, plan, "remembered");
        }
      }
      List<Algorithm> algorithms = plan.heuristics(handle, MOST_ALGORITHMS, WORKSPACE_BYTES);
      Fastest fastest = measure(spec, plan, algorithms, stream);
      Algorithm chosen = algorithms.get(fastest.index());
      String how = fastest.toString();
      if (fastest.measured()) {
        choices.keep(spec.toString(), chosen.bytes());
      }
      plan.use(chosen);
      return new Prepared(spec, plan, how);
    } catch (RuntimeException | Error e) {
      plan.close();
      throw e;
    }
  }

  /** The one that took least, and what the library's first took. */
  private record Fastest(int index, int of, double milliseconds, double first) {
    boolean measured() {
      return !Double.isNaN(milliseconds);
    }

    @Override
    public String toString() {
      return String.format(
          Locale.ROOT,
          "algorithm %d of %d: %.1f us, the first %.1f us",
          index + 1,
          of,
          milliseconds * 1000,
          first * 1000);
    }
  }

  /**
   * Runs all algorithms on memory of its own. Also where there is no choice: the library loads its
   * code at the first run, which should not be within a capture.
   */
  private Fastest measure(
      GemmSpec spec, GemmPlan plan, List<Algorithm> algorithms, CudaStream stream) {
    int in = spec.type() == GemmSpec.Type.F32 || spec.type() == GemmSpec.Type.TF32 ? 4 : 2;
    int out = spec.type() == GemmSpec.Type.BF16_TO_BF16 ? 2 : 4;
    long bytesA = extent(spec.a(), spec.m(), spec.k(), spec.batch()) * in;
    long bytesB = extent(spec.b(), spec.k(), spec.n(), spec.batch()) * in;
    long bytesC = extent(spec.c(), spec.m(), spec.n(), spec.batch()) * out;
    long startB = aligned(bytesA);
    long startC = startB + aligned(bytesB);
    long all = startC + aligned(bytesC);
    long memory;
    try {
      memory = context.allocate(all, "measuring a matrix product");
    } catch (CudaException e) {
      if (!e.outOfMemory()) {
        throw e;
      }
      LOG.log(System.Logger.Level.INFO, "{0} is not measured: {1}", spec, e.getMessage());
      return new Fastest(0, algorithms.size(), Double.NaN, Double.NaN);
    }
    try (CudaEvent begin = context.event();
        CudaEvent end = context.event()) {
      stream.set(memory, FILLING, all / Integer.BYTES);
      double[] best = new double[algorithms.size()];
      Arrays.fill(best, Double.POSITIVE_INFINITY);
      CudaException[] refused = new CudaException[best.length];
      // In turns: the card's clock changes while it warms up, for all alike.
      int rounds = best.length == 1 ? 0 : REPEATS;
      for (int round = 0; round <= rounds; round++) {
        for (int i = 0; i < best.length; i++) {
          if (refused[i] != null) {
            continue;
          }
          plan.use(algorithms.get(i));
          stream.record(begin);
          try {
            plan.run(
                handle,
                memory,
                memory + startB,
                memory + startC,
                workspace,
                WORKSPACE_BYTES,
                stream);
          } catch (CudaException e) { // what a heuristic proposes may still be unsupported
            refused[i] = e;
            continue;
          }
          stream.record(end);
          double time = end.millisecondsSince(begin);
          if (round > 0 || rounds == 0) { // the first time, code is loaded
            best[i] = Math.min(best[i], time);
          }
        }
      }
      int fastest = 0;
      for (int i = 1; i < best.length; i++) {
        fastest = best[i] < best[fastest] ? i : fastest;
      }
      if (refused[fastest] != null) {
        throw refused[fastest];
      }
      return new Fastest(fastest, best.length, best[fastest], best[0]);
    } finally {
      context.free(memory);
    }
  }

  /** Elements from a batch's first to its last. */
  private static long extent(GemmSpec.Matrices at, long rows, long columns, long batch) {
    boolean byRows = at.order() == GemmSpec.Order.ROWS;
    long lines = byRows ? rows : columns;
    return (batch - 1) * at.batchStride() + (lines - 1) * at.leading() + (byRows ? columns : rows);
  }

  private static long aligned(long bytes) {
    return (bytes + 255) / 256 * 256;
  }

  private final class Prepared implements Gemm {
    private final GemmSpec spec;
    private final GemmPlan plan;
    private final String how;

    Prepared(GemmSpec spec, GemmPlan plan, String how) {
      this.spec = spec;
      this.plan = plan;
      this.how = how;
    }

    @Override
    public GemmSpec spec() {
      return spec;
    }

    @Override
    public String description() {
      return "cuBLASLt " + spec.type() + ", " + how;
    }

    @Override
    public void run(CudaStream stream, long a, long b, long c) {
      if (closed) {
        throw new IllegalStateException("these matrix products are closed");
      }
      plan.run(handle, a, b, c, workspace, WORKSPACE_BYTES, stream);
    }
  }

  private void end() {
    closed = true;
    prepared.values().forEach(p -> p.plan.close());
    prepared.clear();
    lt.check(
        CublasLtCalls.cublasLtDestroy(lt.symbols(), handle), "cublasLtDestroy", context.card());
  }

  /** Frees the workspace; its products cannot run afterwards, also not in graphs. */
  @Override
  public void close() {
    context.release(this);
    context.free(workspace);
  }
}
