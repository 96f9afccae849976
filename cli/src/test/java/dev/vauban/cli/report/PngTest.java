package dev.vauban.cli.report;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;

/** Decodes with the JDK's reader what our writer wrote. */
class PngTest {
  @Test
  void greyReadsBack() throws Exception {
    float[] pixels = {0, 0.5f, 1, -3, 2, 0.25f};
    BufferedImage image = decode(Png.encode(pixels, 2, 3, 1));
    assertThat(image.getWidth()).isEqualTo(3);
    assertThat(image.getHeight()).isEqualTo(2);
    int[] expected = {0, 128, 255, 0, 255, 64};
    for (int i = 0; i < 6; i++) {
      assertThat(image.getRaster().getSample(i % 3, i / 3, 0)).isEqualTo(expected[i]);
    }
  }

  @Test
  void colourReadsBack() throws Exception {
    float[] pixels = new float[5 * 4 * 3];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = i / 59f;
    }
    BufferedImage image = decode(Png.encode(pixels, 5, 4, 3));
    for (int i = 0; i < pixels.length; i++) {
      assertThat(image.getRaster().getSample(i / 3 % 4, i / 12, i % 3))
          .isEqualTo(Math.round(i / 59f * 255));
    }
  }

  @Test
  void aPerturbationIsCentredOnGreyAndScaledToTheBudget() throws Exception {
    double eps = 8 / 255.0;
    float[] clean = {0.5f, 0.5f, 0.5f};
    float[] attacked = {0.5f, (float) (0.5 + eps), (float) (0.5 - eps)};
    BufferedImage image = decode(Png.perturbation(clean, attacked, eps, 1, 3, 1));
    assertThat(image.getRaster().getSample(0, 0, 0)).isEqualTo(128);
    assertThat(image.getRaster().getSample(1, 0, 0)).isEqualTo(255);
    assertThat(image.getRaster().getSample(2, 0, 0)).isEqualTo(0);
  }

  private static BufferedImage decode(byte[] png) throws Exception {
    BufferedImage image = ImageIO.read(new ByteArrayInputStream(png));
    assertThat(image).isNotNull();
    return image;
  }
}
