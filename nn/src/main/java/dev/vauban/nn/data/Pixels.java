package dev.vauban.nn.data;

/**
 * A decoded image before it is brought to its final size.
 *
 * @param height rows
 * @param width columns
 * @param channels 1 or 3
 * @param values brightness 0..255, [height, width, channels]
 */
record Pixels(int height, int width, int channels, float[] values) {

  /** White becomes black and black white. */
  Pixels inverted() {
    float[] v = new float[values.length];
    for (int i = 0; i < v.length; i++) {
      v[i] = 255 - values[i];
    }
    return new Pixels(height, width, channels, v);
  }

  /** The largest square in the middle. */
  Pixels centreSquare() {
    if (height == width) {
      return this;
    }
    int side = Math.min(height, width);
    int top = (height - side) / 2;
    int left = (width - side) / 2;
    float[] v = new float[side * side * channels];
    for (int y = 0; y < side; y++) {
      int from = ((top + y) * width + left) * channels;
      System.arraycopy(values, from, v, y * side * channels, side * channels);
    }
    return new Pixels(side, side, channels, v);
  }
}
