package dev.vauban.cli.config;

/** How Omniglot's characters are divided into training and test. */
public enum Split implements Named {
  /** 1,028 training, 172 validation and 423 test characters (Vinyals et al. 2016). */
  VINYALS("vinyals"),
  /** 30 alphabets train, 20 test (Lake et al. 2015). */
  ALPHABET("alphabet"),
  /** 1,200 characters drawn at random train, 423 test (Finn et al. 2017). */
  SHUFFLED("shuffled");

  private final String label;

  Split(String label) {
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
