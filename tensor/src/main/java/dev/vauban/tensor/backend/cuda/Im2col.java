package dev.vauban.tensor.backend.cuda;

import dev.vauban.natives.cuda.GemmSpec;
import dev.vauban.tensor.ConvOp;
import dev.vauban.tensor.DType;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.backend.cuda.Convolutions.Walk;
import dev.vauban.tensor.backend.cuda.Source.Positions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/**
 * Convolutions by stored patches (im2col), the other way beside {@link Convolutions}: one kernel
 * writes the images' elements under each window as a row, and a product of ordinary matrices is
 * left, which cuBLASLt takes for all tasks at once, each with its own kernel.
 *
 * <ul>
 *   <li>forward: patches [pixels, r s c] times the kernel;
 *   <li>gradient of the kernel: the patches, read as columns, times the result's gradient;
 *   <li>gradient of the images: the result's gradient times the kernel, read as columns, gives what
 *       each window's position adds; a second kernel adds up for each pixel, in a fixed order.
 * </ul>
 *
 * <p>A window of one element that visits every pixel has nothing to store: the images are their
 * patches. Images that all tasks share have their patches stored once.
 */
final class Im2col {
  /** Patches beyond this are not stored. */
  static final long MOST_BYTES = 1L << 30;

  private static final int FOUR = 4;

  /** What is kept between the steps of a convolution: patches, or what they add. */
  record Stored(Expr of, Type type) {}

  private final Convolutions c;
  private final Expr e;
  private final String label;
  private final List<Object> reads;
  private final Object write;
  private final Choices choices;
  private final List<Step> steps = new ArrayList<>();
  private boolean library = true;

  private Im2col(
      Convolutions c, Expr e, String label, List<Object> reads, Object write, Choices choices) {
    this.c = c;
    this.e = e;
    this.label = label;
    this.reads = reads;
    this.write = write;
    this.choices = choices;
  }

  /**
   * The steps of a convolution.
   *
   * @param all in order
   * @param library whether cuBLASLt has their product
   */
  record Made(List<Step> all, boolean library) {}

  /**
   * The steps of a convolution by patches, or empty if these would be too large.
   *
   * @param e the node
   * @param label what it is, for prints
   * @param reads the memory of its two inputs
   * @param write of its result
   */
  static Optional<Made> of(
      Convolutions c, Expr e, String label, List<Object> reads, Object write, Choices choices) {
    Im2col made = new Im2col(c, e, label, reads, write, choices);
    if (!made.isPlain() && made.stored().bytes() > MOST_BYTES) {
      return Optional.empty();
    }
    switch (c.op()) {
      case ConvOp.Convolve f -> made.forward();
      case ConvOp.InputGradient g -> made.images();
      case ConvOp.KernelGradient g -> made.kernel();
    }
    return Optional.of(new Made(List.copyOf(made.steps), made.library));
  }

  /** The images are their patches. */
  private boolean isPlain() {
    return c.rows().isPlain() && c.columns().isPlain();
  }

  /** Elements of a row of patches. */
  private long terms() {
    return c.taps() * c.in();
  }

  private long pixels() {
    return Convolutions.pixels(c.y());
  }

  /** Tasks whose patches are stored: one, if all have the same images. */
  private int tasks() {
    boolean shared = !(c.op() instanceof ConvOp.InputGradient) && c.vx().taskStride() == 0;
    return shared ? 1 : c.tasks();
  }

  private Type stored() {
    boolean sums = c.op() instanceof ConvOp.InputGradient;
    return Type.of(
        sums ? Scalars.compute(c.type()) : c.type(),
        tasks(),
        c.groups(),
        Math.toIntExact(pixels()),
        Math.toIntExact(terms()));
  }

  private List<Long> batchStrides() {
    long group = pixels() * terms();
    return List.of(tasks() == 1 ? 0 : group * c.groups(), group);
  }

  /** Patches as a matrix of pixels and positions. */
  private Product.Strided matrix(DType type) {
    return new Product.Strided(
        type,
        batchStrides(),
        List.of(Math.toIntExact(pixels())),
        List.of(terms()),
        List.of(Math.toIntExact(terms())),
        List.of(1L));
  }

  private static Product.Strided turned(Product.Strided m) {
    return new Product.Strided(
        m.type(), m.batchStrides(), m.columns(), m.columnStrides(), m.rows(), m.rowStrides());
  }

  private void forward() {
    Object patches = unfolded();
    Product.Strided a = isPlain() ? c.images(c.type()) : matrix(c.type());
    multiply(
        new Product(
            c.batch(), pixels(), c.out(), terms(), a, c.kernel(c.type()), c.results(c.stored())),
        List.of(patches, reads.get(1)),
        write);
  }

  private void kernel() {
    Object patches = unfolded();
    Product.Strided a = turned(isPlain() ? c.images(c.type()) : matrix(c.type()));
    multiply(
        new Product(
            c.batch(), terms(), c.out(), pixels(), a, c.results(c.type()), c.kernel(c.stored())),
        List.of(patches, reads.get(1)),
        write);
  }

  private void images() {
    Object added = isPlain() ? write : new Stored(e, stored());
    Product.Strided to = isPlain() ? c.images(c.stored()) : matrix(stored().dtype());
    multiply(
        new Product(
            c.batch(),
            pixels(),
            terms(),
            c.out(),
            c.results(c.type()),
            turned(c.kernel(c.type())),
            to),
        reads,
        added);
    if (!isPlain()) {
      fold(added);
    }
  }

  private void multiply(Product p, List<Object> from, Object to) {
    Products.Unit unit = choices.unit(c.type());
    Optional<GemmSpec> spec = choices.library() ? Contractions.library(p, unit) : Optional.empty();
    long flops = c.product().flops();
    String what = "product of patches, " + label;
    if (spec.isPresent()) {
      steps.add(new Step.Library("cublasLt " + what, from, List.of(to), flops, spec.get()));
      return;
    }
    library = false;
    long results = p.size() * p.m() * p.n();
    long most = Math.max(Math.max(stored().shape().size(), results), largestInput());
    Nests.Built built = Products.of(p, unit, new int[] {0, 1}, most, results);
    steps.add(
        new Step.Kernels(what, from, List.of(to), built.scratchBytes(), flops, built.launches()));
  }

  private long largestInput() {
    return e.inputs().stream().mapToLong(i -> i.shape().size()).max().orElseThrow();
  }

  /** Stores the patches; returns what holds them. */
  private Object unfolded() {
    if (isPlain()) {
      return reads.getFirst();
    }
    Stored to = new Stored(e, stored());
    Product.Matrix m = c.patches();
    int each = m.inFours() ? FOUR : 1;
    long elements = to.type().shape().size();
    Positions at = Positions.upTo(Math.max(elements, c.x().size()) + terms());
    String type = Scalars.memory(c.type());
    Launch launch =
        Elementwise.launch(
            "patches",
            Elementwise.in(type, "x") + ", " + Elementwise.out(type, "y"),
            Elementwise.arguments(1),
            elements / each,
            at,
            s -> {
              s.line("const %s first = p * %s;", at.type(), at.of(each));
              List<String> i = s.indices("first", Source.dims(to.type().shape()), "at", at);
              Product.Place place = m.place(s, i.get(2), i.get(3), at);
              String from =
                  Source.offset(i.subList(0, 2), m.batchStrides(), at) + " + " + place.offset();
              String moved = each == FOUR ? Scalars.four(c.type()) : type;
              s.line("%s e%s;", moved, each == FOUR ? " = {{0, 0, 0, 0}}" : " = 0");
              if (place.exists() != null) {
                s.line("if (%s) {", place.exists());
              }
              s.line("e = *(const %s*)(x + %s);", moved, from);
              if (place.exists() != null) {
                s.end();
              }
              s.line("*(%s*)(y + first) = e;", moved);
            });
    steps.add(
        new Step.Kernels(
            "patches, " + label, List.of(reads.getFirst()), List.of(to), 0, 0, List.of(launch)));
    return to;
  }

  /** Adds up for each element of the images what the windows over it added. */
  private void fold(Object added) {
    Product.Strided x = c.images(c.stored());
    int each = x.rowsLie() && x.inFours() ? FOUR : 1;
    long elements = c.x().size();
    DType sums = stored().dtype();
    Positions at = Positions.upTo(Math.max(stored().shape().size(), elements) + terms());
    List<Integer> dims = new ArrayList<>(c.batch());
    Collections.addAll(dims, c.x().dim(0), c.x().dim(1), c.x().dim(2), c.in());
    List<Long> strides = new ArrayList<>(x.batchStrides());
    strides.addAll(x.rowStrides());
    strides.addAll(x.columnStrides());
    String from = Scalars.memory(sums);
    Launch launch =
        Elementwise.launch(
            "fold",
            Elementwise.in(from, "d") + ", " + Elementwise.out(Scalars.memory(c.stored()), "x"),
            Elementwise.arguments(1),
            elements / each,
            at,
            s -> {
              s.line("const %s first = p * %s;", at.type(), at.of(each));
              List<String> i = s.indices("first", dims, "at", at);
              s.line("%s sum[%d] = {%s};", from, each, each == FOUR ? "0, 0, 0, 0" : "0");
              windows(s, "r", i.get(3), c.rows());
              windows(s, "q", i.get(4), c.columns());
              s.line(
                  "const %s pixel = (%s * %s + r_at) * %s + q_at;",
                  at.type(), i.get(2), at.of(c.y().dim(1)), at.of(c.y().dim(2)));
              s.line(
                  "const %s from = %s + pixel * %s + (r * %du + q) * %s + %s;",
                  at.type(),
                  Source.offset(i.subList(0, 2), batchStrides(), at),
                  at.of(terms()),
                  c.w().dim(1),
                  at.of(c.in()),
                  i.get(5));
              s.line("#pragma unroll");
              s.line("for (v_u32 j = 0; j < %du; j++) {", each);
              s.line("sum[j] += d[from + j];");
              s.end().end().end().end().end();
              String to = Source.offset(i, strides, at);
              if (each == 1) {
                s.line("x[%s] = %s;", to, Scalars.store(sums, c.stored(), "sum[0]"));
                return;
              }
              String four = Scalars.four(c.stored());
              s.line("%s all;", four);
              for (int j = 0; j < FOUR; j++) {
                s.line("all.e[%d] = %s;", j, Scalars.store(sums, c.stored(), "sum[" + j + "]"));
              }
              s.line("*(%s*)(x + %s) = all;", four, to);
            });
    steps.add(
        new Step.Kernels(
            "sums of patches, " + label, List.of(added), List.of(write), 0, 0, List.of(launch)));
  }

  /** Loops over those positions {@code tap} of the window that can lie over a row or column. */
  private static void windows(Source s, String tap, String place, Walk walk) {
    s.line("for (v_u32 %s = 0; %s < %du; %s++) {", tap, tap, walk.taps(), tap);
    s.line(
        "const int %s_first = (int)%s + %d - (int)(%s * %du);",
        tap, place, walk.before(), tap, walk.dilation());
    s.line("const v_u32 %s_at = (v_u32)%s_first / %du;", tap, tap, walk.stride());
    s.line(
        "if (%s_first >= 0 && (v_u32)%s_first %% %du == 0 && %s_at < %du) {",
        tap, tap, walk.stride(), tap, walk.places());
  }
}
