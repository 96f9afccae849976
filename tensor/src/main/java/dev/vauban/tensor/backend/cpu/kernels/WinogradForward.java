package dev.vauban.tensor.backend.cpu.kernels;

import static dev.vauban.tensor.backend.cpu.kernels.Memory.align;
import static dev.vauban.tensor.backend.cpu.kernels.Species.BYTES;
import static dev.vauban.tensor.backend.cpu.kernels.Species.LANES;

/** Forward. */
public final class WinogradForward {
  static final int POSITIONS = WinogradLines.INPUTS * WinogradLines.INPUTS;
  private static final int KC = 256;

  private final ConvShape shape;
  private final WinogradImage input;
  private final WinogradImage output;
  private final int block;
  private final long kernelPosition; // bytes between the positions of the transformed kernel
  private final long position; // bytes between the positions of the transformed tiles
  private final int vectors;

  private final long kernelAt;
  private final long paddedAt;
  private final long tilesAt;
  private final long inputAt;
  private final long outputAt;
  private final long scratchBytes;

  public WinogradForward(ConvShape shape) {
    this(shape, 0);
  }

  /** {@code block} tiles at a time. */
  public WinogradForward(ConvShape shape, int block) {
    this.shape = shape;
    this.block = block > 0 ? block : 24;
    this.input = WinogradImage.input(shape, 0, this.block);
    this.output = WinogradImage.output(shape, 0, this.block);
    this.vectors = (shape.filters() + LANES - 1) / LANES;
    this.kernelPosition = odd((long) shape.channels() * vectors * BYTES);
    this.position = Math.max(input.position(), output.position());
    long at = Tile.SCRATCH_BYTES + align(18L * BYTES);
    paddedAt = at;
    if (shape.filters() % LANES != 0) {
      at += align(9L * shape.channels() * vectors * BYTES);
    }
    kernelAt = at;
    at += POSITIONS * kernelPosition;
    tilesAt = at;
    at += (POSITIONS + 1) * position;
    inputAt = at;
    at += input.scratchBytes();
    outputAt = at;
    scratchBytes = at + output.scratchBytes();
  }

  static long odd(long bytes) {
    return ((bytes + 63) / 64 | 1) * 64;
  }

  public long scratchBytes() {
    return scratchBytes;
  }

  public void run(long x, long kernel, long y, long scratch) {
    transformKernel(kernel, scratch);
    int total = input.tiles();
    long products = scratch + tilesAt;
    long data = products + position;
    for (int t = 0; t < total; t += block) {
      int count = Math.min(block, total - t);
      input.data(x, t, count, data, scratch + inputAt);
      multiply(data, products, count, scratch);
      output.output(products, t, count, y, scratch + outputAt);
    }
  }

  public void multiply(long data, long products, int count, long scratch) {
    long rs = input.tileBytes();
    long cs = output.tileBytes();
    int channels = shape.channels();
    for (int p = 0; p < POSITIONS; p++) {
      long panel = scratch + kernelAt + p * kernelPosition;
      for (int v = 0; v < vectors; v += 2) {
        int nr = Math.min(2, vectors - v) * LANES;
        for (int k = 0; k < channels; k += KC) {
          int depth = Math.min(KC, channels - k);
          Tile.run(
              data + p * input.position() + 4L * k,
              rs,
              4,
              panel + 4L * k * nr,
              4L * nr,
              depth,
              products + p * output.position() + (long) v * BYTES,
              cs,
              count,
              nr,
              k == 0 ? Update.SET : Update.ADD,
              scratch);
        }
        panel += 4L * channels * nr;
      }
    }
  }

  public void transformKernel(long kernel, long scratch) {
    int channels = shape.channels();
    long row = 4L * shape.filters();
    if (shape.filters() % LANES != 0) {
      long padded = scratch + paddedAt;
      for (int r = 0; r < 9 * channels; r++) {
        Memory.copy(kernel + r * row, padded + r * (long) vectors * BYTES, row);
      }
      kernel = padded;
      row = (long) vectors * BYTES;
    }
    long tap = channels * row;
    for (int v = 0; v < vectors; v += 2) {
      int n = Math.min(2, vectors - v);
      long panel = scratch + kernelAt + (long) v * BYTES * channels;
      for (int c = 0; c < channels; c++) {
        for (int i = 0; i < n; i++) {
          WinogradLines.kernel(
              kernel + c * row + (long) (v + i) * BYTES,
              3 * tap,
              tap,
              scratch + Tile.SCRATCH_BYTES,
              panel + ((long) c * n + i) * BYTES,
              kernelPosition);
        }
      }
    }
  }

  // PROBE
  public void allData(long x, long scratch) {
    for (int t = 0; t < input.tiles(); t += block) {
      input.data(x, t, Math.min(block, input.tiles() - t), scratch + tilesAt + position, scratch + inputAt);
    }
  }

  public void allMultiply(long scratch) {
    for (int t = 0; t < input.tiles(); t += block) {
      multiply(scratch + tilesAt + position, scratch + tilesAt, Math.min(block, input.tiles() - t), scratch);
    }
  }

  public void allOutput(long y, long scratch) {
    for (int t = 0; t < input.tiles(); t += block) {
      output.output(scratch + tilesAt, t, Math.min(block, input.tiles() - t), y, scratch + outputAt);
    }
  }
}
