package dev.vauban.nn;

/** Whether a layer adds a learned constant to each output. */
public enum Bias {
  /** It does; the bias starts at 0. */
  WITH,
  /** It does not: right before a batch normalisation, which would subtract it again. */
  WITHOUT
}
