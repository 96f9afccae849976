package dev.vauban.natives.onednn;

/**
 * A two-dimensional convolution, the same record for its forward pass and both of its gradients.
 *
 * <p>{@code y[n,p,q,o] = sum over r,s,i of x[n, p*strideH - padTop + r*dilationH, q*strideW -
 * padLeft + s*dilationW, i] * w[r,s,i,o]}, with zeros outside the image.
 *
 * <p>Shape: x {@code [N,H,W,I]}, w {@code [R,S,I/groups,O]}, y {@code [N,P,Q,O]}, all dense and
 * row-major. With groups, output channel o belongs to group {@code o / (O/groups)} and reads that
 * group's {@code I/groups} input channels.
 *
 * <pre>{@code
 * ConvSpec.of(25, 28, 28, 64, 64, 3, 3).pad(1, 1, 1, 1).stride(2, 2)
 * }</pre>
 *
 * @param batch N, images
 * @param height H, rows of x
 * @param width W, columns of x
 * @param inputs I, channels of x
 * @param outputs O, channels of y
 * @param kernelHeight R
 * @param kernelWidth S
 * @param strideH rows of x per row of y
 * @param strideW columns of x per column of y
 * @param padTop rows of zeros above x
 * @param padBottom rows of zeros below x
 * @param padLeft columns of zeros left of x
 * @param padRight columns of zeros right of x
 * @param dilationH rows of x between neighbouring kernel rows; 1 is a dense kernel
 * @param dilationW columns of x between neighbouring kernel columns; 1 is a dense kernel
 * @param groups parts that the channels are split into
 * @param xType type of x, or of its gradient
 * @param wType type of w, or of its gradient
 * @param yType type of y, or of its gradient
 */
public record ConvSpec(
    int batch,
    int height,
    int width,
    int inputs,
    int outputs,
    int kernelHeight,
    int kernelWidth,
    int strideH,
    int strideW,
    int padTop,
    int padBottom,
    int padLeft,
    int padRight,
    int dilationH,
    int dilationW,
    int groups,
    DataType xType,
    DataType wType,
    DataType yType) {

  /**
   * Checks the sizes.
   *
   * @throws IllegalArgumentException if a size is below 1, a pad below 0, the groups do not divide
   *     the channels, the kernel is larger than the padded image, or an operand has more than 2^44
   *     elements
   */
  public ConvSpec {
    atLeast(1, "batch", batch);
    atLeast(1, "height", height);
    atLeast(1, "width", width);
    atLeast(1, "inputs", inputs);
    atLeast(1, "outputs", outputs);
    atLeast(1, "kernelHeight", kernelHeight);
    atLeast(1, "kernelWidth", kernelWidth);
    atLeast(1, "strideH", strideH);
    atLeast(1, "strideW", strideW);
    atLeast(0, "padTop", padTop);
    atLeast(0, "padBottom", padBottom);
    atLeast(0, "padLeft", padLeft);
    atLeast(0, "padRight", padRight);
    atLeast(1, "dilationH", dilationH);
    atLeast(1, "dilationW", dilationW);
    atLeast(1, "groups", groups);
    if (inputs % groups != 0 || outputs % groups != 0) {
      throw new IllegalArgumentException(
          "convolution: "
              + groups
              + " groups do not divide "
              + inputs
              + " input and "
              + outputs
              + " output channels");
    }
    fits("rows", (long) height + padTop + padBottom, kernelHeight, dilationH);
    fits("columns", (long) width + padLeft + padRight, kernelWidth, dilationW);
    addressable("x", (double) batch * height * width * inputs);
    addressable("w", (double) kernelHeight * kernelWidth * inputs * outputs);
    double rows = (double) height + padTop + padBottom;
    addressable("y", batch * rows * ((double) width + padLeft + padRight) * outputs);
  }

  /** A dense f32 convolution with stride 1 and no padding. */
  public static ConvSpec of(
      int batch,
      int height,
      int width,
      int inputs,
      int outputs,
      int kernelHeight,
      int kernelWidth) {
    return new ConvSpec(
        batch,
        height,
        width,
        inputs,
        outputs,
        kernelHeight,
        kernelWidth,
        1,
        1,
        0,
        0,
        0,
        0,
        1,
        1,
        1,
        DataType.F32,
        DataType.F32,
        DataType.F32);
  }

  /** The same with these strides. */
  public ConvSpec stride(int rows, int columns) {
    return new ConvSpec(
        batch,
        height,
        width,
        inputs,
        outputs,
        kernelHeight,
        kernelWidth,
        rows,
        columns,
        padTop,
        padBottom,
        padLeft,
        padRight,
        dilationH,
        dilationW,
        groups,
        xType,
        wType,
        yType);
  }

  /** The same with this padding. */
  public ConvSpec pad(int top, int bottom, int left, int right) {
    return new ConvSpec(
        batch,
        height,
        width,
        inputs,
        outputs,
        kernelHeight,
        kernelWidth,
        strideH,
        strideW,
        top,
        bottom,
        left,
        right,
        dilationH,
        dilationW,
        groups,
        xType,
        wType,
        yType);
  }

  /** The same with these dilations (1 is a dense kernel). */
  public ConvSpec dilation(int rows, int columns) {
    return new ConvSpec(
        batch,
        height,
        width,
        inputs,
        outputs,
        kernelHeight,
        kernelWidth,
        strideH,
        strideW,
        padTop,
        padBottom,
        padLeft,
        padRight,
        rows,
        columns,
        groups,
        xType,
        wType,
        yType);
  }

  /** The same with this number of groups. */
  public ConvSpec groups(int count) {
    return new ConvSpec(
        batch,
        height,
        width,
        inputs,
        outputs,
        kernelHeight,
        kernelWidth,
        strideH,
        strideW,
        padTop,
        padBottom,
        padLeft,
        padRight,
        dilationH,
        dilationW,
        count,
        xType,
        wType,
        yType);
  }

  /** The same with these types of x, w and y (or of their gradients). */
  public ConvSpec types(DataType x, DataType w, DataType y) {
    return new ConvSpec(
        batch,
        height,
        width,
        inputs,
        outputs,
        kernelHeight,
        kernelWidth,
        strideH,
        strideW,
        padTop,
        padBottom,
        padLeft,
        padRight,
        dilationH,
        dilationW,
        groups,
        x,
        w,
        y);
  }

  /** P, rows of y. */
  public int outHeight() {
    return (height + padTop + padBottom - span(kernelHeight, dilationH)) / strideH + 1;
  }

  /** Q, columns of y. */
  public int outWidth() {
    return (width + padLeft + padRight - span(kernelWidth, dilationW)) / strideW + 1;
  }

  /** Elements of x. */
  public long xSize() {
    return (long) batch * height * width * inputs;
  }

  /** Elements of w. */
  public long wSize() {
    return (long) kernelHeight * kernelWidth * (inputs / groups) * outputs;
  }

  /** Elements of y. */
  public long ySize() {
    return (long) batch * outHeight() * outWidth() * outputs;
  }

  /** Multiplications and additions of one pass, those with padding included. */
  public long flops() {
    return 2L * ySize() * kernelHeight * kernelWidth * (inputs / groups);
  }

  @Override
  public String toString() {
    return xType
        + "["
        + batch
        + ","
        + height
        + ","
        + width
        + ","
        + inputs
        + "] * "
        + wType
        + "["
        + kernelHeight
        + ","
        + kernelWidth
        + ","
        + inputs / groups
        + ","
        + outputs
        + "] -> "
        + yType
        + "["
        + batch
        + ","
        + outHeight()
        + ","
        + outWidth()
        + ","
        + outputs
        + "] stride "
        + strideH
        + ","
        + strideW
        + " pad "
        + padTop
        + ","
        + padBottom
        + ","
        + padLeft
        + ","
        + padRight
        + " dilation "
        + dilationH
        + ","
        + dilationW
        + " groups "
        + groups;
  }

  private static int span(int kernel, int dilation) {
    return (kernel - 1) * dilation + 1;
  }

  private static void atLeast(int least, String name, int value) {
    if (value < least) {
      throw new IllegalArgumentException(
          "convolution: " + name + " is " + value + ", and must be at least " + least);
    }
  }

  /** oneDNN computes sizes in 64 bits without looking for overflow. */
  private static void addressable(String name, double elements) {
    if (elements > 0x1p44) {
      throw new IllegalArgumentException(
          "convolution: "
              + name
              + " may have "
              + (long) elements
              + " elements, and 2^44 is the limit");
    }
  }

  private static void fits(String axis, long padded, int kernel, int dilation) {
    long span = (kernel - 1L) * dilation + 1;
    if (span > padded) {
      throw new IllegalArgumentException(
          "convolution: the kernel spans "
              + span
              + " "
              + axis
              + ", and the padded image has only "
              + padded);
    }
    if (padded > Integer.MAX_VALUE) {
      throw new IllegalArgumentException(
          "convolution: the padded image has " + padded + " " + axis + ", above 2^31 - 1");
    }
  }
}
