package dev.vauban.tensor.backend.cpu.kernels;

/**
 * Convolutions by Winograd's minimal filtering: a tile of 4x4 results of a 3x3 kernel costs 36
 * multiplications per pair of channels instead of 144. Tiles of 6x6 pixels are transformed to 36
 * positions, likewise the kernel; at each position the channels are a matrix product; the products
 * are transformed back.
 *
 * <p>Sums are formed in another order and from other terms than the definition's, so that results
 * differ from those of {@link ConvForward} by rounding errors that are a few times larger; see
 * {@link #ERROR}.
 *
 * <p>Paper: <a href="https://arxiv.org/abs/1509.09308">Lavin and Gray 2016</a>.
 */
public final class Winograd {
  /**
   * The largest rounding error of one element, as a share of the largest sum of absolute terms in
   * the result: {@code |y - y'| <= ERROR * max(|x| * |kernel|)}. Measured on normal data and 64
   * channels: at most 10 units of 2^-24, in the mean 1; the direct sum has at most 2 and 0.3.
   */
  public static final double ERROR = 0x1p-19;

  private static final int CHANNELS = 16;
  private static final int TILES = 16;

  static final int POSITIONS = WinogradLines.INPUTS * WinogradLines.INPUTS;

  private Winograd() {}

  /**
   * Whether these kernels can compute a convolution and its gradients: 3x3, stride 1, no dilation,
   * one group, and at most 2 pixels of padding on each side.
   */
  public static boolean fits(ConvShape s) {
    WindowShape w = s.window();
    return w.height() == 3
        && w.width() == 3
        && w.strideH() == 1
        && w.strideW() == 1
        && w.dilationH() == 1
        && w.dilationW() == 1
        && Math.max(Math.max(w.top(), w.bottom()), Math.max(w.left(), w.right())) <= 2
        && s.groups() == 1;
  }

  /**
   * Whether these kernels are worth while for a convolution that fits: at least 16 channels and
   * filters, and at least 16 tiles in all. With 8 channels the transforms alone take longer than
   * oneDNN's whole convolution (measured: 0.6 times its speed; with 16, 1.3 to 1.8 times), and with
   * 5 tiles the transform of the kernel does (0.9 times; 16 tiles 1.0 to 1.5 times). The figures
   * are in {@code docs/performance.md}.
   */
  public static boolean pays(ConvShape s) {
    return fits(s) && Math.min(s.channels(), s.filters()) >= CHANNELS && tiles(s) >= TILES;
  }

  /** Tiles of all results. */
  public static long tiles(ConvShape s) {
    return (long) s.batch()
        * WinogradTiling.count(s.outputHeight())
        * WinogradTiling.count(s.outputWidth());
  }

  /** Refuses what does not fit. */
  static void check(ConvShape s) {
    if (!fits(s)) {
      throw new IllegalArgumentException(
          "Winograd: "
              + s
              + "; the window must be 3x3 with stride and dilation 1, padding at most 2 and one"
              + " group of channels");
    }
  }

  /** Vectors that hold {@code channels} channels. */
  static int vectors(int channels) {
    return (channels + Species.LANES - 1) / Species.LANES;
  }

  /** At least {@code bytes}, an odd number of cache lines, so that positions share no cache set. */
  static long spread(long bytes) {
    return ((bytes + 63) / 64 | 1) * 64;
  }
}
