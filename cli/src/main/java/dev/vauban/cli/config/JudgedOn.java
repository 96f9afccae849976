package dev.vauban.cli.config;

import dev.vauban.meta.tuning.Problems;

/** Which images a tuner's meta-loss is measured on. */
public enum JudgedOn implements Named {
  /** Others than it tunes on: the learned fine-tuner (LFT). */
  UNSEEN("unseen", Problems.Part.UNSEEN),
  /** Those that it tunes on: learning to optimise (L2O). */
  TUNED_ON("tuned-on", Problems.Part.TUNED_ON);

  private final String label;
  private final Problems.Part part;

  JudgedOn(String label, Problems.Part part) {
    this.label = label;
    this.part = part;
  }

  /** The same in the library. */
  public Problems.Part part() {
    return part;
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
