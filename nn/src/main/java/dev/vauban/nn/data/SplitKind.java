package dev.vauban.nn.data;

/** What keeps the splits of a data set apart. */
public enum SplitKind {
  /** No class occurs in two splits: the few-shot setting. */
  BY_CLASS,
  /** Every split has all classes and no image occurs in two: the supervised setting. */
  BY_IMAGE
}
