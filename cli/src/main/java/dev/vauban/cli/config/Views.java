package dev.vauban.cli.config;

/** The augmentations by name. */
public enum Views implements Named {
  /** Strokes for grey images, photos for colour. */
  SUITED("suited"),
  /** The images as they are. */
  NONE("none"),
  /** For characters: small turns, shifts, scalings; blur. */
  STROKES("strokes"),
  /** For photos: windows, flip, colour, grey. */
  PHOTOS("photos"),
  /** Crop with 4 pixels of padding, and flip. */
  SHIFT_FLIP("shift-flip");

  private final String label;

  Views(String label) {
    this.label = label;
  }

  @Override
  public String label() {
    return label;
  }

  @Override
  public String toString() {
    return label;
  }
}
