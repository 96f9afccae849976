package dev.vauban.cli.tuning;

import dev.vauban.tensor.Key;
import java.util.Arrays;

/** Perturbations [H,W,C] that ask nobody: what a bound alone is worth. */
final class Patterns {
  private Patterns() {}

  /** The same change of every pixel. */
  static float[] constant(int[] shape, double value) {
    float[] pattern = new float[shape[0] * shape[1] * shape[2]];
    Arrays.fill(pattern, (float) value);
    return pattern;
  }

  /** Plus or minus {@code eps} by chance, the same in blocks of {@code side} by {@code side}. */
  static float[] signs(int[] shape, double eps, int side, Key key) {
    float[] pattern = new float[shape[0] * shape[1] * shape[2]];
    int across = (shape[1] + side - 1) / side;
    for (int y = 0; y < shape[0]; y++) {
      for (int x = 0; x < shape[1]; x++) {
        for (int c = 0; c < shape[2]; c++) {
          long block = ((long) (y / side) * across + x / side) * shape[2] + c;
          pattern[(y * shape[1] + x) * shape[2] + c] =
              (float) (key.uniform(block) < 0.5 ? -eps : eps);
        }
      }
    }
    return pattern;
  }
}
