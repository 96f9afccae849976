package dev.vauban.tensor.backend.cpu.kernels;

/**
 * A window sliding over the height and width of an image.
 *
 * @param height window rows, at least 1
 * @param width window columns, at least 1
 * @param strideH rows from one output position to the next, at least 1
 * @param strideW columns from one output position to the next, at least 1
 * @param top padding rows above, at least 0
 * @param bottom padding rows below, at least 0
 * @param left padding columns to the left, at least 0
 * @param right padding columns to the right, at least 0
 * @param dilationH rows between neighbouring window rows, at least 1 (1 is dense)
 * @param dilationW columns between neighbouring window columns, at least 1
 */
public record WindowShape(
    int height,
    int width,
    int strideH,
    int strideW,
    int top,
    int bottom,
    int left,
    int right,
    int dilationH,
    int dilationW) {

  /**
   * Checks the ranges.
   *
   * @throws IllegalArgumentException if a value is out of its range
   */
  public WindowShape {
    if (Math.min(Math.min(height, width), Math.min(strideH, strideW)) < 1
        || Math.min(dilationH, dilationW) < 1
        || Math.min(Math.min(top, bottom), Math.min(left, right)) < 0) {
      throw new IllegalArgumentException(
          "WindowShape: size "
              + height
              + "x"
              + width
              + ", stride "
              + strideH
              + "x"
              + strideW
              + ", dilation "
              + dilationH
              + "x"
              + dilationW
              + " must be at least 1 and padding "
              + top
              + ", "
              + bottom
              + ", "
              + left
              + ", "
              + right
              + " at least 0");
    }
  }

  /** A dense square window with the same stride both ways and the same padding on four sides. */
  public static WindowShape square(int size, int stride, int padding) {
    return new WindowShape(size, size, stride, stride, padding, padding, padding, padding, 1, 1);
  }

  /** Output rows over an image of {@code rows} rows; 0 or less when the window does not fit. */
  public int outputHeight(int rows) {
    return Math.floorDiv(rows + top + bottom - (height - 1) * dilationH - 1, strideH) + 1;
  }

  /** Output columns over an image of {@code columns} columns. */
  public int outputWidth(int columns) {
    return Math.floorDiv(columns + left + right - (width - 1) * dilationW - 1, strideW) + 1;
  }

  /** Number of positions in the window. */
  public int area() {
    return height * width;
  }
}
