package dev.vauban.nn;

import dev.vauban.tensor.ConvOp;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.PoolOp.PoolWindow;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.ShapeException;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.Window;
import java.util.List;

/** Functions of images [N,H,W,C] beyond convolution and pooling. */
public final class Images {
  private Images() {}

  /**
   * Transposed convolution: the gradient of a convolution with respect to its input, used forwards
   * to enlarge images.
   *
   * @param x [N,H,W,C]
   * @param kernel [R,S,O/groups,C]: the kernel of the convolution that maps the result back to x
   * @param window stride, padding and dilation of that convolution
   * @param outPadH rows added to the result at the bottom, less than the stride
   * @param outPadW columns added to the result on the right, less than the stride
   * @return [N,(H-1)*stride - padding + dilation*(R-1) + 1 + outPad, ..., O]
   */
  public static Expr convolveTransposed(
      Expr x, Expr kernel, Window window, int groups, int outPadH, int outPadW) {
    Shape s = x.shape();
    Shape k = kernel.shape();
    int h =
        (s.dim(1) - 1) * window.strideH()
            - window.top()
            - window.bottom()
            + window.dilationH() * (k.dim(0) - 1)
            + 1
            + outPadH;
    int w =
        (s.dim(2) - 1) * window.strideW()
            - window.left()
            - window.right()
            + window.dilationW() * (k.dim(1) - 1)
            + 1
            + outPadW;
    Shape out = Shape.of(s.dim(0), h, w, k.dim(2) * groups);
    return Expr.of(new ConvOp.InputGradient(window, groups, out), List.of(x, kernel));
  }

  /**
   * One-dimensional convolution.
   *
   * @param x [N,L,C]
   * @param kernel [R,C/groups,O]
   * @return [N,P,O]
   */
  public static Expr convolve1d(
      Expr x, Expr kernel, int stride, int padding, int dilation, int groups) {
    Shape s = x.shape();
    Shape k = kernel.shape();
    Window window = new Window(1, stride, 0, 0, padding, padding, 1, dilation);
    Expr y = x.reshape(s.insert(1, 1)).convolve(kernel.reshape(k.insert(0, 1)), window, groups);
    return y.reshape(y.shape().without(1));
  }

  /** Average pooling in which padding does not count: the mean of what lies inside the image. */
  public static Expr averagePoolInside(Expr x, PoolWindow window) {
    Expr count = x.ones().sumPool(window);
    return x.sumPool(window).div(count);
  }

  /**
   * Maximum pooling that keeps a last, partial window: the image is extended by values that never
   * win.
   */
  public static Expr maxPoolCeil(Expr x, PoolWindow window) {
    Window m = window.move();
    int bottom =
        partial(x.shape().dim(1), m.top() + m.bottom(), m.dilationH(), window.h(), m.strideH());
    int right =
        partial(x.shape().dim(2), m.left() + m.right(), m.dilationW(), window.w(), m.strideW());
    Window wider =
        new Window(
            m.strideH(),
            m.strideW(),
            m.top(),
            m.bottom() + bottom,
            m.left(),
            m.right() + right,
            m.dilationH(),
            m.dilationW());
    return x.maxPool(new PoolWindow(window.h(), window.w(), wider));
  }

  /** Rows to add so that the last window, which starts inside the image, is whole. */
  private static int partial(int size, int padding, int dilation, int k, int stride) {
    int reach = size + padding - dilation * (k - 1) - 1;
    int left = Math.floorMod(reach, stride);
    return left == 0 ? 0 : stride - left;
  }

  /**
   * The mean over a grid of regions that cover the image: region i of n spans rows floor(i H / n)
   * to ceil((i+1) H / n).
   *
   * @return [N,outH,outW,C]
   */
  public static Expr adaptiveAveragePool(Expr x, int outH, int outW) {
    return separable(x, regions(x.shape().dim(1), outH), regions(x.shape().dim(2), outW));
  }

  /**
   * Bilinear resizing with pixel centres at half-integers (no aligned corners), without
   * antialiasing.
   *
   * @return [N,outH,outW,C]
   */
  public static Expr resizeBilinear(Expr x, int outH, int outW) {
    return separable(x, bilinear(x.shape().dim(1), outH), bilinear(x.shape().dim(2), outW));
  }

  /** Rows mixed by one matrix [outH,H], columns by another [outW,W]. */
  private static Expr separable(Expr x, double[][] rows, double[][] columns) {
    if (x.shape().rank() != 4) {
      throw new ShapeException("images are [N,H,W,C], not " + x.shape());
    }
    // [outH,H] x [N,H,W,C] -> [outH,N,W,C]; then [outW,W] x that -> [outW,outH,N,C].
    Expr y = matrix(x, rows).contract(x, none(), none(), new int[] {1}, new int[] {1});
    Expr z = matrix(x, columns).contract(y, none(), none(), new int[] {1}, new int[] {2});
    return z.transpose(2, 1, 0, 3);
  }

  private static int[] none() {
    return new int[0];
  }

  private static Expr matrix(Expr like, double[][] m) {
    double[] flat = new double[m.length * m[0].length];
    for (int i = 0; i < m.length; i++) {
      System.arraycopy(m[i], 0, flat, i * m[0].length, m[0].length);
    }
    return Expr.data(Type.of(like.dtype(), m.length, m[0].length), flat);
  }

  private static double[][] regions(int size, int out) {
    double[][] m = new double[out][size];
    for (int i = 0; i < out; i++) {
      int from = i * size / out;
      int to = ((i + 1) * size + out - 1) / out;
      for (int j = from; j < to; j++) {
        m[i][j] = 1.0 / (to - from);
      }
    }
    return m;
  }

  private static double[][] bilinear(int size, int out) {
    double[][] m = new double[out][size];
    for (int i = 0; i < out; i++) {
      double at = Math.max((i + 0.5) * size / out - 0.5, 0);
      int low = Math.min((int) at, size - 1);
      int high = Math.min(low + 1, size - 1);
      double share = at - low;
      m[i][low] += 1 - share;
      m[i][high] += share;
    }
    return m;
  }
}
