package dev.vauban.nn.data;

/** Colour of decoded images. */
public enum Channels {
  /** One channel: luma of Rec. 601, 0.299 R + 0.587 G + 0.114 B. */
  GRAY(1),
  /** Three channels: red, green, blue. */
  RGB(3);

  private final int count;

  Channels(int count) {
    this.count = count;
  }

  /** Number of bytes a pixel takes: 1 or 3. */
  public int count() {
    return count;
  }
}
