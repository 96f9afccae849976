package dev.vauban.tensor.backend.cuda;

import dev.vauban.tensor.ConvOp;
import dev.vauban.tensor.DType;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Window;
import dev.vauban.tensor.backend.cuda.Source.Positions;
import java.util.ArrayList;
import java.util.List;

/**
 * Convolutions and their gradients as matrix products whose factors are looked up in the images
 * (implicit GEMM): no patch is ever stored. Tasks and groups are the batch.
 *
 * <ul>
 *   <li>forward: rows are pixels (n, p, q) of the result, columns its channels, terms (r, s, c);
 *   <li>gradient of the images: rows are pixels (n, h, w), columns their channels, terms (r, s, k);
 *   <li>gradient of the kernel: rows are (r, s, c), columns channels k, terms pixels (n, p, q).
 * </ul>
 */
final class Convolutions {
  /**
   * Where a window's position falls in an image: rows or columns of one of its two dimensions.
   *
   * @param size of the images
   * @param places of the window, the size of the result
   * @param taps of the window itself
   */
  record Walk(int stride, int before, int dilation, int size, int places, int taps) {
    /** Whether the window is one element that visits the images' elements one by one. */
    boolean isPlain() {
      return stride == 1 && before == 0 && taps == 1 && places == size;
    }
  }

  private final Window window;
  private final int tasks;
  private final int groups; // of each task
  private final Shape x; // images, result and kernel, whichever of them is computed
  private final Shape y;
  private final Shape w;
  private final View vx;
  private final View vy;
  private final View vw;
  private final ConvOp op;
  private final DType type;
  private final DType stored;

  private Convolutions(
      ConvOp op, int tasks, Shape[] shapes, View[] views, DType type, DType stored) {
    this.op = op;
    this.window = op.window();
    this.tasks = tasks;
    this.groups = op.groups() / tasks;
    this.x = shapes[0];
    this.w = shapes[1];
    this.y = shapes[2];
    this.vx = views[0];
    this.vw = views[1];
    this.vy = views[2];
    this.type = type;
    this.stored = stored;
  }

  /**
   * A convolution or gradient.
   *
   * @param e the node
   * @param first views of its two inputs
   * @param result view of its result
   */
  static Convolutions of(Expr e, ConvOp op, View first, View second, View result) {
    Shape a = e.input(0).shape();
    Shape b = e.input(1).shape();
    Shape[] shapes =
        switch (op) {
          case ConvOp.Convolve c -> new Shape[] {a, b, e.shape()};
          case ConvOp.InputGradient c -> new Shape[] {c.input(), b, a};
          case ConvOp.KernelGradient c -> new Shape[] {a, c.kernel(), b};
        };
    View[] views =
        switch (op) {
          case ConvOp.Convolve c -> new View[] {first, second, result};
          case ConvOp.InputGradient c -> new View[] {result, second, first};
          case ConvOp.KernelGradient c -> new View[] {first, result, second};
        };
    return new Convolutions(op, result.tasks(), shapes, views, e.input(0).dtype(), e.dtype());
  }

  /** The product that it is. */
  Product product() {
    return switch (op) {
      case ConvOp.Convolve c -> forward();
      case ConvOp.InputGradient c -> images();
      case ConvOp.KernelGradient c -> kernel();
    };
  }

  /** What it is. */
  ConvOp op() {
    return op;
  }

  /** The type of its inputs. */
  DType type() {
    return type;
  }

  /** The type of its result. */
  DType stored() {
    return stored;
  }

  int tasks() {
    return tasks;
  }

  int groups() {
    return groups;
  }

  /** The images' shape. */
  Shape x() {
    return x;
  }

  /** The result's. */
  Shape y() {
    return y;
  }

  /** The kernel's. */
  Shape w() {
    return w;
  }

  View vx() {
    return vx;
  }

  /** Channels of the images in one group. */
  int in() {
    return w.dim(2);
  }

  /** Channels of the result in one group. */
  int out() {
    return w.dim(3) / (tasks * groups);
  }

  /** Tasks, and groups of each. */
  List<Integer> batch() {
    return List.of(tasks, groups);
  }

  /** Elements from one task to the next and from one group to the next. */
  List<Long> batch(View v, int channels) {
    return List.of(v.taskStride(), v.stride(3) * channels);
  }

  /** The kernel as a matrix of rows (r, s, c) and columns k. */
  Product.Strided kernel(DType of) {
    return new Product.Strided(
        of,
        batch(vw, out()), // its input channels have no task and no group: the last dimension has
        List.of(w.dim(0), w.dim(1), in()),
        List.of(vw.stride(0), vw.stride(1), vw.stride(2)),
        List.of(out()),
        List.of(vw.stride(3)));
  }

  /** The images as a matrix of rows (n, h, w) and columns c. */
  Product.Strided images(DType of) {
    return images(vx, x, in(), of);
  }

  /** The result as a matrix of rows (n, p, q) and columns k. */
  Product.Strided results(DType of) {
    return images(vy, y, out(), of);
  }

  private Product.Strided images(View v, Shape s, int channels, DType of) {
    return new Product.Strided(
        of,
        batch(v, channels),
        List.of(s.dim(0), s.dim(1), s.dim(2)),
        List.of(v.stride(0), v.stride(1), v.stride(2)),
        List.of(channels),
        List.of(v.stride(3)));
  }

  /** The images under the windows: rows are pixels of the result, columns positions (r, s, c). */
  Product.Matrix patches() {
    return new Patches(false);
  }

  /** Pixels of images of this shape. */
  static long pixels(Shape s) {
    return (long) s.dim(0) * s.dim(1) * s.dim(2);
  }

  /** Positions of the window. */
  long taps() {
    return (long) w.dim(0) * w.dim(1);
  }

  private Product forward() {
    return new Product(
        batch(),
        pixels(y),
        out(),
        taps() * in(),
        new Patches(false),
        kernel(type),
        results(stored));
  }

  private Product images() {
    Product.Strided turned =
        new Product.Strided(
            type,
            batch(vw, out()),
            List.of(w.dim(0), w.dim(1), out()),
            List.of(vw.stride(0), vw.stride(1), vw.stride(3)),
            List.of(in()),
            List.of(vw.stride(2)));
    return new Product(
        batch(), pixels(x), in(), taps() * out(), new Spread(), turned, images(stored));
  }

  private Product kernel() {
    return new Product(
        batch(), taps() * in(), out(), pixels(y), new Patches(true), results(type), kernel(stored));
  }

  /** Four channels at a time: padding is the same for all of them. */
  private static boolean channelsInFours(View v, int channels, List<Long> batch) {
    return channels % 4 == 0
        && v.stride(3) == 1
        && v.strides().subList(0, 3).stream().allMatch(s -> s % 4 == 0)
        && batch.stream().allMatch(s -> s % 4 == 0);
  }

  /** The window's walk down the images. */
  Walk rows() {
    return new Walk(
        window.strideH(), window.top(), window.dilationH(), x.dim(1), y.dim(1), w.dim(0));
  }

  /** And across. */
  Walk columns() {
    return new Walk(
        window.strideW(), window.left(), window.dilationW(), x.dim(2), y.dim(2), w.dim(1));
  }

  /**
   * The images' elements under the windows: rows are pixels of the result and columns positions of
   * the window, or the other way round.
   */
  private final class Patches implements Product.Matrix {
    private final boolean turned;

    Patches(boolean turned) {
      this.turned = turned;
    }

    @Override
    public DType type() {
      return type;
    }

    @Override
    public List<Long> batchStrides() {
      return batch(vx, in());
    }

    @Override
    public boolean rowsLie() {
      return !turned; // channels lie together
    }

    @Override
    public boolean inFours() {
      return channelsInFours(vx, in(), batchStrides());
    }

    @Override
    public Product.Place place(Source s, String row, String column, Positions at) {
      List<Integer> pixel = List.of(y.dim(0), y.dim(1), y.dim(2));
      List<Integer> tap = List.of(w.dim(0), w.dim(1), in());
      List<String> i = s.indices(turned ? column : row, pixel, "i", at);
      List<String> t = s.indices(turned ? row : column, tap, "t", at);
      List<String> conditions = new ArrayList<>();
      String h = position(s, "h", i.get(1), t.get(0), rows(), conditions);
      String v = position(s, "v", i.get(2), t.get(1), columns(), conditions);
      String offset =
          Source.offset(List.of(i.get(0), h, v, t.get(2)), vx.strides().subList(0, 4), at);
      return new Product.Place(
          offset, conditions.isEmpty() ? null : String.join(" && ", conditions));
    }

    /** The image's row under row {@code tap} of a window at {@code i}. */
    private String position(
        Source s, String name, String i, String tap, Walk walk, List<String> conditions) {
      s.line(
          "const int %s = (int)(%s * %du + %s * %du) - %d;",
          name, i, walk.stride(), tap, walk.dilation(), walk.before());
      int most =
          (walk.places() - 1) * walk.stride() + (walk.taps() - 1) * walk.dilation() - walk.before();
      if (walk.before() > 0 || most >= walk.size()) {
        conditions.add("(v_u32)" + name + " < " + walk.size() + "u");
      }
      return "(v_u32)" + name;
    }
  }

  /** Elements of the result's gradient that each pixel of the images took part in. */
  private final class Spread implements Product.Matrix {
    @Override
    public DType type() {
      return type;
    }

    @Override
    public List<Long> batchStrides() {
      return batch(vy, out());
    }

    @Override
    public boolean rowsLie() {
      return true;
    }

    @Override
    public boolean inFours() {
      return channelsInFours(vy, out(), batchStrides());
    }

    @Override
    public Product.Place place(Source s, String row, String column, Positions at) {
      List<String> i = s.indices(row, List.of(x.dim(0), x.dim(1), x.dim(2)), "i", at);
      List<String> t = s.indices(column, List.of(w.dim(0), w.dim(1), out()), "t", at);
      List<String> conditions = new ArrayList<>();
      String p = position(s, "h", i.get(1), t.get(0), rows(), conditions);
      String q = position(s, "v", i.get(2), t.get(1), columns(), conditions);
      String offset =
          Source.offset(List.of(i.get(0), p, q, t.get(2)), vy.strides().subList(0, 4), at);
      return new Product.Place(offset, String.join(" && ", conditions));
    }

    /** The window whose row {@code tap} lies over row {@code i} of the images. */
    private String position(
        Source s, String name, String i, String tap, Walk walk, List<String> conditions) {
      s.line(
          "const int %s = (int)%s + %d - (int)(%s * %du);",
          name, i, walk.before(), tap, walk.dilation());
      conditions.add(name + " >= 0");
      if (walk.stride() > 1) {
        conditions.add("%s %% %d == 0".formatted(name, walk.stride()));
      }
      String place = walk.stride() > 1 ? name + " / " + walk.stride() : name;
      conditions.add(place + " < " + walk.places());
      return "(v_u32)(" + place + ")";
    }
  }
}
