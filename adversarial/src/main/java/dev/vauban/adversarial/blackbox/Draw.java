package dev.vauban.adversarial.blackbox;

import dev.vauban.tensor.Key;
import java.util.Arrays;

/** Random numbers in order, all from one key: for the program of one image. */
public final class Draw {
  private final Key key;
  private long counter;
  private double spare = Double.NaN;
  private long signs;
  private int signsLeft;

  /** The numbers of a key. */
  public Draw(Key key) {
    this.key = key;
  }

  /** In [0,1). */
  public double uniform() {
    return key.uniform(counter++);
  }

  /** In 0..bound-1; bound is at least 1. */
  public int index(int bound) {
    return key.index(counter++, bound);
  }

  /** -1 or 1. */
  public int sign() {
    if (signsLeft == 0) {
      signs = key.bits(counter++);
      signsLeft = Long.SIZE;
    }
    signsLeft--;
    int sign = (signs & 1) == 0 ? -1 : 1;
    signs >>>= 1;
    return sign;
  }

  /** Standard normal: both branches of Box and Muller's transform, one after the other. */
  public double normal() {
    if (!Double.isNaN(spare)) {
      double value = spare;
      spare = Double.NaN;
      return value;
    }
    double length = Math.sqrt(-2 * Math.log(1 - uniform()));
    double angle = 2 * Math.PI * uniform();
    spare = length * Math.sin(angle);
    return length * Math.cos(angle);
  }

  /** Standard normal numbers. */
  public double[] normals(int count) {
    double[] v = new double[count];
    for (int i = 0; i < count; i++) {
      v[i] = normal();
    }
    return v;
  }

  /** Signs, -1 or 1. */
  public double[] signs(int count) {
    double[] v = new double[count];
    for (int i = 0; i < count; i++) {
      v[i] = sign();
    }
    return v;
  }

  /** Uniform on the unit sphere. */
  public double[] sphere(int count) {
    return Metric.L2.steepest(normals(count));
  }

  /** In random order: {@code chosen} of the numbers 0..count-1. */
  public int[] choose(int chosen, int count) {
    int[] all = new int[count];
    for (int i = 0; i < count; i++) {
      all[i] = i;
    }
    for (int i = 0; i < chosen; i++) {
      int j = i + index(count - i);
      int t = all[i];
      all[i] = all[j];
      all[j] = t;
    }
    return Arrays.copyOf(all, chosen);
  }
}
