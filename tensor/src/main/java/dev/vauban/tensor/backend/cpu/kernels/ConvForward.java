package dev.vauban.tensor.backend.cpu.kernels;

/**
 * Convolution y = x * kernel in channels-last layout (see {@link ConvShape}), as a product of image
 * patches with the kernel seen as a matrix. Patches are made block by block and never exist as a
 * whole. 3x3 windows over images of few channels have a quicker way, {@link FewChannelsForward}.
 */
public final class ConvForward {
  private final ConvShape shape;
  private final Patches patches;
  private final PatchProduct product;
  private final FewChannelsForward fewChannels; // or null

  /** Prepares a convolution of a static shape. */
  public ConvForward(ConvShape shape) {
    this.shape = shape;
    this.fewChannels = FewChannelsRows.fits(shape) ? new FewChannelsForward(shape) : null;
    this.patches = patches(shape);
    this.product = new PatchProduct(patches, shape.outputPixels(), shape.groupFilters());
  }

  /** What the windows of {@code shape} see. */
  static Patches patches(ConvShape shape) {
    WindowShape w = shape.window();
    return new Patches(
        shape.height(),
        shape.width(),
        shape.channels(),
        shape.groupChannels(),
        shape.outputHeight(),
        shape.outputWidth(),
        w.strideH(),
        w.strideW(),
        offsets(w.height(), w.dilationH(), w.top()),
        offsets(w.width(), w.dilationW(), w.left()));
  }

  private static int[] offsets(int size, int dilation, int padding) {
    int[] offsets = new int[size];
    for (int i = 0; i < size; i++) {
      offsets[i] = i * dilation - padding;
    }
    return offsets;
  }

  /** Bytes that {@code run} needs as scratch. */
  public long scratchBytes() {
    return fewChannels != null ? fewChannels.scratchBytes() : product.scratchBytes();
  }

  /**
   * Whether this kernel is quicker than oneDNN's: 1.2 to 2.4 times for one or two channels, while
   * for three and four it is between 0.96 and 1.26 times as quick (AVX-512; {@code
   * docs/performance.md}).
   */
  public static boolean isQuick(ConvShape shape) {
    return FewChannelsRows.fits(shape) && shape.channels() <= 2;
  }

  /**
   * Runs the convolution; y must not overlap x or the kernel.
   *
   * @param x address of x[N, H, W, C]
   * @param kernel address of kernel[KH, KW, C / groups, K]
   * @param y address of y[N, OH, OW, K]; overwritten
   * @param scratch address of {@link #scratchBytes} bytes
   */
  public void run(long x, long kernel, long y, long scratch) {
    if (fewChannels != null) {
      fewChannels.run(x, kernel, y, scratch);
      return;
    }
    long filterBytes = 4L * shape.filters();
    for (int g = 0; g < shape.groups(); g++) {
      long column = 4L * g * shape.groupFilters();
      product.packPlain(kernel + column, filterBytes, scratch);
      product.run(x + 4L * g * shape.groupChannels(), y + column, filterBytes, scratch);
    }
  }
}
