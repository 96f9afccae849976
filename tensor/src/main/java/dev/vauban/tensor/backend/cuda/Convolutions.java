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
  /** Where a window's position falls in an image: rows or columns of one of its two dimensions. */
  private record Walk(int stride, int before, int dilation, int size) {}

  private final Window window;
  private final int tasks;
  private final int groups; // of each task
  private final Shape x; // images, result and kernel, whichever of them is computed
  private final Shape y;
  private final Shape w;
  private final View vx;
  private final View vy;
  private final View vw;
  private final DType type;

  private Convolutions(ConvOp op, int tasks, Shape[] shapes, View[] views, DType type) {
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
  }

  /**
   * The product that a convolution is.
   *
   * @param e the node
   * @param views of its two inputs and its result
   */
  static Product product(Expr e, ConvOp op, View first, View second, View result) {
    Shape a = e.input(0).shape();
    Shape b = e.input(1).shape();
    int tasks = result.tasks();
    DType type = e.input(0).dtype();
    return switch (op) {
      case ConvOp.Convolve c ->
          new Convolutions(
                  op,
                  tasks,
                  new Shape[] {a, b, e.shape()},
                  new View[] {first, second, result},
                  type)
              .forward(e.dtype());
      case ConvOp.InputGradient c ->
          new Convolutions(
                  op,
                  tasks,
                  new Shape[] {c.input(), b, a},
                  new View[] {result, second, first},
                  type)
              .images(e.dtype());
      case ConvOp.KernelGradient c ->
          new Convolutions(
                  op,
                  tasks,
                  new Shape[] {a, c.kernel(), b},
                  new View[] {first, result, second},
                  type)
              .kernel(e.dtype());
    };
  }

  private int in() {
    return w.dim(2); // channels of the images in one group
  }

  private int out() {
    return w.dim(3) / (tasks * groups); // channels of the result in one group
  }

  private List<Integer> batch() {
    return List.of(tasks, groups);
  }

  private List<Long> batch(View v, int channels) {
    return List.of(v.taskStride(), v.stride(3) * channels);
  }

  /** The kernel's input channels have no task and no group: its last dimension has both. */
  private Product.Strided kernelAs(
      List<Integer> rows, List<Long> rowStrides, List<Integer> columns, List<Long> columnStrides) {
    return new Product.Strided(type, batch(vw, out()), rows, rowStrides, columns, columnStrides);
  }

  private Product.Strided images(View v, Shape s, int channels, DType stored) {
    return new Product.Strided(
        stored,
        batch(v, channels),
        List.of(s.dim(0), s.dim(1), s.dim(2)),
        List.of(v.stride(0), v.stride(1), v.stride(2)),
        List.of(channels),
        List.of(v.stride(3)));
  }

  private long pixels(Shape s) {
    return (long) s.dim(0) * s.dim(1) * s.dim(2);
  }

  private long taps() {
    return (long) w.dim(0) * w.dim(1);
  }

  private Product forward(DType stored) {
    return new Product(
        batch(),
        pixels(y),
        out(),
        taps() * in(),
        new Patches(false),
        kernelAs(
            List.of(w.dim(0), w.dim(1), in()),
            List.of(vw.stride(0), vw.stride(1), vw.stride(2)),
            List.of(out()),
            List.of(vw.stride(3))),
        images(vy, y, out(), stored));
  }

  private Product images(DType stored) {
    return new Product(
        batch(),
        pixels(x),
        in(),
        taps() * out(),
        new Spread(),
        kernelAs(
            List.of(w.dim(0), w.dim(1), out()),
            List.of(vw.stride(0), vw.stride(1), vw.stride(3)),
            List.of(in()),
            List.of(vw.stride(2))),
        images(vx, x, in(), stored));
  }

  private Product kernel(DType stored) {
    Product.Strided c =
        new Product.Strided(
            stored,
            batch(vw, out()),
            List.of(w.dim(0), w.dim(1), in()),
            List.of(vw.stride(0), vw.stride(1), vw.stride(2)),
            List.of(out()),
            List.of(vw.stride(3)));
    return new Product(
        batch(), taps() * in(), out(), pixels(y), new Patches(true), images(vy, y, out(), type), c);
  }

  /** Four channels at a time: padding is the same for all of them. */
  private static boolean channelsInFours(View v, int channels, List<Long> batch) {
    return channels % 4 == 0
        && v.stride(3) == 1
        && v.strides().subList(0, 3).stream().allMatch(s -> s % 4 == 0)
        && batch.stream().allMatch(s -> s % 4 == 0);
  }

  private Walk rows() {
    return new Walk(window.strideH(), window.top(), window.dilationH(), x.dim(1));
  }

  private Walk columns() {
    return new Walk(window.strideW(), window.left(), window.dilationW(), x.dim(2));
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
      String h = position(s, "h", i.get(1), t.get(0), rows(), conditions, y.dim(1), w.dim(0));
      String v = position(s, "v", i.get(2), t.get(1), columns(), conditions, y.dim(2), w.dim(1));
      String offset =
          Source.offset(List.of(i.get(0), h, v, t.get(2)), vx.strides().subList(0, 4), at);
      return new Product.Place(
          offset, conditions.isEmpty() ? null : String.join(" && ", conditions));
    }

    /** The image's row under row {@code tap} of a window at {@code i}. */
    private String position(
        Source s,
        String name,
        String i,
        String tap,
        Walk walk,
        List<String> conditions,
        int places,
        int taps) {
      s.line(
          "const int %s = (int)(%s * %du + %s * %du) - %d;",
          name, i, walk.stride(), tap, walk.dilation(), walk.before());
      int most = (places - 1) * walk.stride() + (taps - 1) * walk.dilation() - walk.before();
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
      String p = position(s, "h", i.get(1), t.get(0), rows(), conditions, y.dim(1));
      String q = position(s, "v", i.get(2), t.get(1), columns(), conditions, y.dim(2));
      String offset =
          Source.offset(List.of(i.get(0), p, q, t.get(2)), vy.strides().subList(0, 4), at);
      return new Product.Place(offset, String.join(" && ", conditions));
    }

    /** The window whose row {@code tap} lies over row {@code i} of the images. */
    private String position(
        Source s, String name, String i, String tap, Walk walk, List<String> conditions, int size) {
      s.line(
          "const int %s = (int)%s + %d - (int)(%s * %du);",
          name, i, walk.before(), tap, walk.dilation());
      conditions.add(name + " >= 0");
      if (walk.stride() > 1) {
        conditions.add("%s %% %d == 0".formatted(name, walk.stride()));
      }
      String place = walk.stride() > 1 ? name + " / " + walk.stride() : name;
      conditions.add(place + " < " + size);
      return "(v_u32)(" + place + ")";
    }
  }
}
