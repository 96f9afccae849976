package dev.vauban.cli.config;

import dev.vauban.adversarial.blackbox.Metric;

/** The norms of a black-box attack's budget. */
public enum Norm implements Named {
  /** The largest change of a pixel. */
  LINF("linf", Metric.LINF),
  /** The Euclidean length of the change. */
  L2("l2", Metric.L2);

  private final String label;
  private final Metric metric;

  Norm(String label, Metric metric) {
    this.label = label;
    this.metric = metric;
  }

  /** The library's name for it. */
  public Metric metric() {
    return metric;
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
