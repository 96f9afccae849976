package dev.vauban.tensor.backend.cpu.kernels;

import static dev.vauban.tensor.backend.cpu.kernels.Memory.align;

/** Input gradient. */
public final class WinogradInputGradient {
  private final ConvShape shape;
  private final WinogradForward forward;

  public WinogradInputGradient(ConvShape shape) {
    this(shape, 0);
  }

  public WinogradInputGradient(ConvShape shape, int block) {
    this.shape = shape;
    WindowShape w = shape.window();
    WindowShape turned =
        new WindowShape(
            3, 3, 1, 1, 2 - w.top(), 2 - w.bottom(), 2 - w.left(), 2 - w.right(), 1, 1);
    this.forward =
        new WinogradForward(
            new ConvShape(
                shape.batch(),
                shape.outputHeight(),
                shape.outputWidth(),
                shape.filters(),
                shape.channels(),
                turned,
                1),
            block);
  }

  private long kernelBytes() {
    return align(36L * shape.channels() * shape.filters());
  }

  public long scratchBytes() {
    return kernelBytes() + forward.scratchBytes();
  }

  public void run(long gy, long kernel, long gx, long scratch) {
    turn(kernel, scratch);
    forward.run(gy, scratch, gx, scratch + kernelBytes());
  }

  public void turn(long kernel, long to) {
    int c = shape.channels();
    int k = shape.filters();
    long tap = 4L * c * k;
    for (int t = 0; t < 9; t++) {
      Transposer.run(4, kernel + t * tap, 4L * k, to + (8 - t) * tap, 4L * c, c, k);
    }
  }
}
