package dev.vauban.cli.config;

/** The classifiers of the papers. */
public enum Model implements Named {
  /** Four 3x3 convolutions with 2x2 max-pooling. */
  CONV4("conv4"),
  /** Four 3x3 convolutions of stride 2 with padding, MAML's network for Omniglot. */
  CONV4_STRIDED("conv4-strided"),
  /** Four convolutions of stride 2 without padding, R-MAML's network for Omniglot. */
  CONV4_RMAML("conv4-rmaml"),
  /** R-MAML's small CIFAR-FS net with 16-16-32-32 filters. */
  CONV4_CIFARFS("conv4-cifarfs"),
  /** R-MAML's miniImageNet net, max-pooling without padding. */
  CONV4_MINI("conv4-mini"),
  /** ResNet-18 for small images: {@code --filters} is the width of its first stage. */
  RESNET18("resnet18");

  private final String label;

  Model(String label) {
    this.label = label;
  }

  /** Whether {@code --filters} sets the width. */
  public boolean scalable() {
    return this != CONV4_CIFARFS;
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
