package dev.vauban.nn.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ResamplerTest {

  private static int[] resample(Pixels in, int outHeight, int outWidth, Resampling method) {
    try (Arena arena = Arena.ofConfined()) {
      int n = outHeight * outWidth * in.channels();
      MemorySegment out = arena.allocate(n, 1);
      new Resampler(in.height(), in.width(), outHeight, outWidth, method).write(in, out);
      int[] values = new int[n];
      for (int i = 0; i < n; i++) {
        values[i] = out.get(ValueLayout.JAVA_BYTE, i) & 0xFF;
      }
      return values;
    }
  }

  private static Pixels line(float... values) {
    return new Pixels(1, values.length, 1, values);
  }

  @Test
  void areaTakesTheMeanUnderEachPixel() {
    assertThat(resample(line(0, 100, 200, 40), 1, 2, Resampling.AREA)).containsExactly(50, 120);
    // 3 to 2: each output pixel covers one and a half source pixels.
    assertThat(resample(line(90, 30, 120), 1, 2, Resampling.AREA)).containsExactly(70, 90);
  }

  @Test
  void bilinearWeighsByATriangle() {
    // 4 to 2: centres 1 and 3, half width 2; weights of pixels 0..2 for the first: 3 3 1 of 7
    // (distances 0.5, 0.5, 1.5), mirrored for the second.
    assertThat(resample(line(70, 140, 210, 0), 1, 2, Resampling.BILINEAR))
        .containsExactly(Math.round((3 * 70 + 3 * 140 + 210) / 7f), Math.round((140 + 630) / 7f));
    // Enlarging 2 to 4 is plain linear interpolation: centres 0.25, 0.75, 1.25, 1.75.
    assertThat(resample(line(0, 100), 1, 4, Resampling.BILINEAR)).containsExactly(0, 25, 75, 100);
  }

  @ParameterizedTest
  @EnumSource(Resampling.class)
  void aConstantStaysAndAnUnchangedSizeIsACopy(Resampling method) {
    float[] same = new float[105 * 105 * 3];
    java.util.Arrays.fill(same, 77);
    assertThat(resample(new Pixels(105, 105, 3, same), 28, 28, method)).containsOnly(77);
    float[] ramp = new float[25];
    for (int i = 0; i < 25; i++) {
      ramp[i] = 10 * i;
    }
    int[] out = resample(new Pixels(5, 5, 1, ramp), 5, 5, method);
    for (int i = 0; i < 25; i++) {
      assertThat(out[i]).isEqualTo(10 * i);
    }
  }

  @ParameterizedTest
  @EnumSource(Resampling.class)
  void meanBrightnessIsKept(Resampling method) {
    float[] dots = new float[105 * 105];
    double sum = 0;
    for (int i = 0; i < dots.length; i++) {
      int y = i / 105;
      int x = i % 105;
      // Away from the border, where bilinear counts pixels more than once.
      boolean inside = y > 8 && y < 96 && x > 8 && x < 96;
      dots[i] = inside && (i * 2654435761L >>> 7) % 5 == 0 ? 255 : 0;
      sum += dots[i];
    }
    int[] out = resample(new Pixels(105, 105, 1, dots), 28, 28, method);
    double mean = java.util.Arrays.stream(out).average().orElseThrow();
    assertThat(mean).isCloseTo(sum / dots.length, within(0.5));
  }

  @Test
  void rowsAndColumnsAreNotConfused() {
    // Two rows, four columns, two channels' worth of distinct values.
    float[] v = {
      0, 0, 0, 40, 40, 40, 80, 80, 80, 120, 120, 120,
      100, 100, 100, 140, 140, 140, 180, 180, 180, 220, 220, 220
    };
    assertThat(resample(new Pixels(2, 4, 3, v), 1, 2, Resampling.AREA))
        .containsExactly(70, 70, 70, 150, 150, 150);
  }

  @Test
  void theMiddleSquareIsCut() {
    Pixels wide = new Pixels(1, 3, 1, new float[] {1, 2, 3});
    assertThat(wide.centreSquare()).extracting(Pixels::height, Pixels::width).containsExactly(1, 1);
    assertThat(wide.centreSquare().values()).containsExactly(2);
    Pixels tall = new Pixels(4, 2, 1, new float[] {0, 1, 2, 3, 4, 5, 6, 7});
    assertThat(tall.centreSquare().values()).containsExactly(2, 3, 4, 5);
  }
}
