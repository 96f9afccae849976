package dev.vauban.tensor.backend.cpu.kernels;

import static dev.vauban.tensor.backend.cpu.kernels.Memory.align;
import static dev.vauban.tensor.backend.cpu.kernels.Species.BYTES;
import static dev.vauban.tensor.backend.cpu.kernels.Species.LANES;

/** Kernel gradient. */
public final class WinogradKernelGradient {
  private static final int POSITIONS = WinogradForward.POSITIONS;

  private static final int PA = Integer.getInteger("pa", 2);
  private final ConvShape shape;
  private final WinogradImage input;
  private final WinogradImage output;
  private final int block;
  private final long kernelPosition;
  private final long dataPosition;
  private final long gradientPosition;
  private final int vectors;

  private final long paddedAt;
  private final long kernelAt;
  private final long dataAt;
  private final long gradientAt;
  private final long inputAt;
  private final long outputAt;
  private final long scratchBytes;

  public WinogradKernelGradient(ConvShape shape) {
    this(shape, 0);
  }

  public WinogradKernelGradient(ConvShape shape, int block) {
    this.shape = shape;
    this.block = block > 0 ? block : 40;
    this.input = WinogradImage.input(shape, PA, this.block);
    this.output = WinogradImage.output(shape, 2, this.block);
    this.vectors = (shape.filters() + LANES - 1) / LANES;
    this.kernelPosition = WinogradForward.odd((long) shape.channels() * vectors * BYTES);
    this.dataPosition = input.position();
    this.gradientPosition = output.position();
    long at = Tile.SCRATCH_BYTES + align(18L * BYTES);
    paddedAt = at;
    if (shape.filters() % LANES != 0) {
      at += align(9L * shape.channels() * vectors * BYTES);
    }
    kernelAt = at;
    at += POSITIONS * kernelPosition;
    dataAt = at;
    at += POSITIONS * dataPosition;
    gradientAt = at;
    at += POSITIONS * gradientPosition;
    inputAt = at;
    at += input.scratchBytes();
    outputAt = at;
    scratchBytes = at + output.scratchBytes();
  }

  public long scratchBytes() {
    return scratchBytes;
  }

  public void run(long x, long gy, long gKernel, long scratch) {
    int total = input.tiles();
    if (total == 0) {
      Memory.zero(gKernel, 36L * shape.channels() * shape.filters());
      return;
    }
    for (int t = 0; t < total; t += block) {
      int count = Math.min(block, total - t);
      input.data(x, t, count, scratch + dataAt, scratch + inputAt);
      output.gradient(gy, t, count, scratch + gradientAt, scratch + outputAt);
      multiply(count, t == 0 ? Update.SET : Update.ADD, scratch);
    }
    transform(gKernel, scratch);
  }

  public void multiply(int count, Update how, long scratch) {
    int channels = shape.channels();
    long cs = (long) vectors * BYTES;
    for (int p = 0; p < POSITIONS; p++) {
      for (int v = 0; v < vectors; v += 2) {
        int nr = Math.min(2, vectors - v) * LANES;
        for (int c = 0; c < channels; c += PA * LANES) {
        Tile.run(
            scratch + dataAt + p * dataPosition + c / (PA * LANES) * input.panelBytes(),
            4,
            input.tileBytes(),
            scratch + gradientAt + p * gradientPosition + v / 2 * output.panelBytes(),
            output.tileBytes(),
            count,
            scratch + kernelAt + p * kernelPosition + (long) v * BYTES + c * cs,
            cs,
            Math.min(PA * LANES, channels - c),
            nr,
            how,
            scratch);
        }
      }
    }
  }

  public void transform(long gKernel, long scratch) {
    int channels = shape.channels();
    boolean padded = shape.filters() % LANES != 0;
    long to = padded ? scratch + paddedAt : gKernel;
    long row = (long) vectors * BYTES;
    long tap = channels * row;
    for (int c = 0; c < channels; c++) {
      for (int v = 0; v < vectors; v++) {
        WinogradLines.kernelGradient(
            scratch + kernelAt + c * row + (long) v * BYTES,
            kernelPosition,
            scratch + Tile.SCRATCH_BYTES,
            to + c * row + (long) v * BYTES,
            3 * tap,
            tap);
      }
    }
    if (padded) {
      long bytes = 4L * shape.filters();
      for (int r = 0; r < 9 * channels; r++) {
        Memory.copy(to + r * row, gKernel + r * bytes, bytes);
      }
    }
  }

  // PROBE
  public void allGradient(long gy, long scratch) {
    for (int t = 0; t < input.tiles(); t += block) {
      output.gradient(gy, t, Math.min(block, input.tiles() - t), scratch + gradientAt, scratch + outputAt);
    }
  }

  public void allMultiply(long scratch) {
    for (int t = 0; t < input.tiles(); t += block) {
      multiply(Math.min(block, input.tiles() - t), t == 0 ? Update.SET : Update.ADD, scratch);
    }
  }
}
