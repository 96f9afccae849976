package dev.vauban.cli.tuning;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vauban.tensor.Key;
import org.junit.jupiter.api.Test;

class PatternsTest {
  private static final int[] SHAPE = {10, 8, 3};

  @Test
  void signsAreTheSameWithinABlockAndDifferBetweenBlocks() {
    float[] pattern = Patterns.signs(SHAPE, 0.25, 4, Key.of(3));
    int positive = 0;
    for (int y = 0; y < 10; y++) {
      for (int x = 0; x < 8; x++) {
        for (int c = 0; c < 3; c++) {
          float value = pattern[(y * 8 + x) * 3 + c];
          assertThat(Math.abs(value)).isEqualTo(0.25f);
          assertThat(value).isEqualTo(pattern[((y / 4 * 4) * 8 + x / 4 * 4) * 3 + c]);
          positive += value > 0 ? 1 : 0;
        }
      }
    }
    assertThat(positive).isBetween(40, 200);
    assertThat(Patterns.signs(SHAPE, 0.25, 4, Key.of(4))).isNotEqualTo(pattern);
  }

  @Test
  void signsOfPixelsAreHalfAndHalf() {
    float[] pattern = Patterns.signs(SHAPE, 1, 1, Key.of(5));
    double sum = 0;
    for (float v : pattern) {
      sum += v;
    }
    assertThat(Math.abs(sum)).isLessThan(60); // 240 signs: the standard deviation is 15
    assertThat(Patterns.constant(SHAPE, -0.5)).hasSize(240).containsOnly(-0.5f);
  }
}
