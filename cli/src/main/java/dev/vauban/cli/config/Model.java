package dev.vauban.cli.config;

/** The classifiers of the papers. */
public enum Model implements Named {
  /** Four 3x3 convolutions with 2x2 max-pooling. */
  CONV4("conv4"),
  /** Four strided 3x3 convolutions, as R-MAML uses on Omniglot. */
  CONV4_STRIDED("conv4-strided"),
  /** The small CIFAR-FS net with 16-16-32-32 filters. */
  CONV4_CIFARFS("conv4-cifarfs");

  private final String label;

  Model(String label) {
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
