package dev.vauban.nn.data;

/** How an image is brought to another size. Both methods keep the mean brightness. */
public enum Resampling {
  /**
   * Bilinear with antialiasing: each output pixel is a weighted mean under a triangle whose half
   * width is the scale factor (and at least one source pixel). The usual "bilinear" of image
   * libraries when they shrink.
   */
  BILINEAR,
  /** Each output pixel is the mean of the source area under it: crisper than bilinear. */
  AREA
}
