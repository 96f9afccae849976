package dev.vauban.bench.kernels;

import java.util.Arrays;

/** Sizes written as text, since JMH's parameters are text. */
final class Sizes {
  private Sizes() {}

  /** The numbers of, for example, {@code 75x14x14x64}. */
  static int[] of(String text) {
    return Arrays.stream(text.split("x")).mapToInt(Integer::parseInt).toArray();
  }
}
