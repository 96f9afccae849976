package dev.vauban.tensor;

/**
 * How a two-dimensional window moves over an image: strides, zero padding and dilation.
 *
 * @param strideH step between windows, rows; at least 1
 * @param strideW step between windows, columns; at least 1
 * @param top padding rows above; at least 0
 * @param bottom padding rows below
 * @param left padding columns on the left
 * @param right padding columns on the right
 * @param dilationH distance between the window's rows; at least 1 (1: dense)
 * @param dilationW distance between the window's columns; at least 1
 */
public record Window(
    int strideH,
    int strideW,
    int top,
    int bottom,
    int left,
    int right,
    int dilationH,
    int dilationW) {

  /** Checks the ranges. */
  public Window {
    if (strideH < 1 || strideW < 1 || dilationH < 1 || dilationW < 1) {
      throw new ShapeException(
          "window: strides and dilations are at least 1, not stride %dx%d, dilation %dx%d"
              .formatted(strideH, strideW, dilationH, dilationW));
    }
    if (top < 0 || bottom < 0 || left < 0 || right < 0) {
      throw new ShapeException(
          "window: padding is at least 0, not %d,%d,%d,%d".formatted(top, bottom, left, right));
    }
  }

  /** A dense window with one stride and one padding for all sides. */
  public static Window of(int stride, int padding) {
    return new Window(stride, stride, padding, padding, padding, padding, 1, 1);
  }

  /** Rows of output for an image of {@code h} rows and a window of {@code k}; may be 0 or less. */
  public int outH(int h, int k) {
    return out((long) h + top + bottom, k, dilationH, strideH);
  }

  /** Columns of output for an image of {@code w} columns and a window of {@code k}. */
  public int outW(int w, int k) {
    return out((long) w + left + right, k, dilationW, strideW);
  }

  private static int out(long extent, int k, int dilation, int stride) {
    long places = extent - dilation * (k - 1L) - 1;
    return (int)
        Math.clamp(Math.floorDiv(places, stride) + 1, Integer.MIN_VALUE, Integer.MAX_VALUE);
  }

  /** For example {@code stride 2x2 pad 1,1,1,1}. */
  @Override
  public String toString() {
    String s = "stride " + strideH + "x" + strideW;
    if (top + bottom + left + right > 0) {
      s += " pad " + top + "," + bottom + "," + left + "," + right;
    }
    return dilationH * dilationW > 1 ? s + " dilation " + dilationH + "x" + dilationW : s;
  }
}
