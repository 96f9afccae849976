package example;

import dev.vauban.nn.data.FewShotData;
import dev.vauban.nn.data.ImageSet;
import dev.vauban.nn.data.SplitKind;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;

/** Gratings: a class is an angle and a wavelength, an image of it has a phase of its own. */
public final class Gratings {
  /** 40 classes of 12 images of 16x16 pixels: 24 to train, 8 to validate, 8 to test. */
  public static FewShotData open() {
    Map<String, List<byte[]>> classes = new TreeMap<>();
    for (int c = 0; c < 40; c++) {
      double angle = 7 * c * Math.PI / 40; // neighbours in the list are far apart
      double wavelength = 3 + c % 4;
      classes.put(
          "grating-%02d".formatted(c),
          IntStream.range(0, 12).mapToObj(i -> draw(angle, wavelength, 0.5 * i)).toList());
    }
    ImageSet all = ImageSet.of("gratings", 16, 16, 1, classes);
    ImageSet train = all.select(IntStream.range(0, 24).toArray());
    ImageSet validation = all.select(IntStream.range(24, 32).toArray());
    ImageSet test = all.select(IntStream.range(32, 40).toArray());
    return new FewShotData("gratings", "", SplitKind.BY_CLASS, all, train, validation, test);
  }

  private static byte[] draw(double angle, double wavelength, double phase) {
    byte[] pixels = new byte[16 * 16];
    for (int p = 0; p < pixels.length; p++) {
      double along = p % 16 * Math.cos(angle) + p / 16 * Math.sin(angle);
      pixels[p] = (byte) (127.5 + 127.5 * Math.sin(2 * Math.PI * along / wavelength + phase));
    }
    return pixels;
  }
}
