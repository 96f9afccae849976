package dev.vauban.nn.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.vauban.tensor.FormatException;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageFolderTest {
  private static final DataOptions SMALL = DataOptions.DEFAULT.withSize(8);

  @TempDir Path dir;

  private void classes(int n) throws IOException {
    for (int c = 0; c < n; c++) {
      for (int i = 0; i < 2; i++) {
        int rgb = c * 10;
        SampleFiles.file(
            dir.resolve("class%02d/%d.png".formatted(c, i)), SampleFiles.rgbPng(10, (x, y) -> rgb));
      }
    }
  }

  @Test
  void classesAreDividedBySeed() throws IOException {
    classes(25);
    try (FewShotData a = DataSets.open("folder:" + dir, SMALL);
        FewShotData b = DataSets.open("folder:" + dir, SMALL);
        FewShotData other = DataSets.open("folder:" + dir, SMALL.withSeed(7))) {
      assertThat(a.train().classCount()).isEqualTo(16);
      assertThat(a.validation().classCount()).isEqualTo(4);
      assertThat(a.test().classCount()).isEqualTo(5);
      Set<String> names = new HashSet<>(a.train().classNames());
      names.addAll(a.validation().classNames());
      names.addAll(a.test().classNames());
      assertThat(names).hasSize(25);
      assertThat(b.test().classNames()).isEqualTo(a.test().classNames());
      assertThat(other.test().classNames()).isNotEqualTo(a.test().classNames());
      for (int c = 0; c < 25; c++) {
        int image = a.all().imageOf(c, 1);
        assertThat(a.all().image(image).get(ValueLayout.JAVA_BYTE, 2) & 0xFF).isEqualTo(10 * c);
      }
    }
  }

  @Test
  void everyFormatAndColourModelGivesTheSameColours() throws IOException {
    SampleFiles.Paint paint = (x, y) -> x < 5 ? 0xC86432 : 0x0000FF;
    put("jpg", BufferedImage.TYPE_INT_RGB, paint);
    put("bmp", BufferedImage.TYPE_INT_RGB, paint);
    put("gif", BufferedImage.TYPE_BYTE_INDEXED, paint);
    put("png", BufferedImage.TYPE_INT_ARGB, paint);
    try (FewShotData data = DataSets.open("folder:" + dir, DataOptions.DEFAULT.withSize(10))) {
      for (int c = 0; c < 4; c++) {
        byte[] image = data.all().image(data.all().imageOf(c, 0)).toArray(ValueLayout.JAVA_BYTE);
        // JPEG and GIF's fixed palette lose some.
        int near = c == 0 ? 0 : c == 3 ? 0 : 30;
        assertThat(image[0] & 0xFF)
            .as("red of %s", data.all().classNames().get(c))
            .isBetween(200 - near, 200 + near);
        assertThat(image[1] & 0xFF).isBetween(100 - near, 100 + near);
        assertThat(image[2] & 0xFF).isBetween(50 - near, 50 + near);
        assertThat(image[29] & 0xFF).isGreaterThanOrEqualTo(255 - near);
      }
    }
    try (FewShotData data =
        DataSets.open(
            "folder:" + dir, DataOptions.DEFAULT.withSize(10).withChannels(Channels.GRAY))) {
      int bmp = data.all().imageOf(0, 0);
      // 0.299 * 200 + 0.587 * 100 + 0.114 * 50 = 124.2
      assertThat(data.all().image(bmp).get(ValueLayout.JAVA_BYTE, 0) & 0xFF).isEqualTo(124);
      assertThat(data.all().channels()).isEqualTo(1);
    }
  }

  /** A red left half: of 4 columns made of 10 the second covers source columns 2.5 to 5. */
  @Test
  void imagesAreResampledAsAsked() throws IOException {
    for (String name : new String[] {"a", "b", "c"}) {
      SampleFiles.file(
          dir.resolve(name + "/x.png"),
          SampleFiles.image(
              "png", BufferedImage.TYPE_INT_RGB, 10, 10, (x, y) -> x < 5 ? 0xC80000 : 0));
    }
    DataOptions small = DataOptions.DEFAULT.withSize(4);
    assertThat(secondRed(small.withResampling(Resampling.AREA))).isEqualTo(200);
    assertThat(secondRed(small)).isBetween(100, 190);
  }

  private int secondRed(DataOptions options) {
    try (FewShotData data = DataSets.open("folder:" + dir, options)) {
      return data.all().image(0).get(ValueLayout.JAVA_BYTE, 3) & 0xFF;
    }
  }

  private void put(String format, int type, SampleFiles.Paint paint) throws IOException {
    SampleFiles.file(
        dir.resolve(format + "/a." + format), SampleFiles.image(format, type, 10, 10, paint));
  }

  @Test
  void grayIsReadAsStored() throws IOException {
    BufferedImage gray = new BufferedImage(6, 6, BufferedImage.TYPE_BYTE_GRAY);
    for (int i = 0; i < 36; i++) {
      gray.getRaster().setSample(i % 6, i / 6, 0, 7 * i);
    }
    java.io.ByteArrayOutputStream out = new java.io.ByteArrayOutputStream();
    javax.imageio.ImageIO.write(gray, "png", out);
    for (String c : new String[] {"a", "b", "c"}) {
      SampleFiles.file(dir.resolve(c + "/x.png"), out.toByteArray());
    }
    DataOptions options = DataOptions.DEFAULT.withSize(6).withChannels(Channels.GRAY);
    try (FewShotData data = DataSets.open("folder:" + dir, options)) {
      byte[] image = data.all().image(0).toArray(ValueLayout.JAVA_BYTE);
      for (int i = 0; i < 36; i++) {
        assertThat(image[i] & 0xFF).isEqualTo(7 * i);
      }
    }
    try (FewShotData data = DataSets.open("folder:" + dir, options.withChannels(Channels.RGB))) {
      byte[] image = data.all().image(0).toArray(ValueLayout.JAVA_BYTE);
      assertThat(image[3 * 20 + 1] & 0xFF).isEqualTo(140);
    }
  }

  @Test
  void foldersNamedAfterSplitsDivide() throws IOException {
    for (String path : new String[] {"train/a", "train/b", "val/c", "test/d"}) {
      SampleFiles.file(dir.resolve(path + "/1.png"), SampleFiles.rgbPng(9, (x, y) -> 0));
    }
    try (FewShotData data = DataSets.open("folder:" + dir, SMALL)) {
      assertThat(data.train().classNames()).containsExactly("a", "b");
      assertThat(data.validation().classNames()).containsExactly("c");
      assertThat(data.test().classNames()).containsExactly("d");
    }
    SampleFiles.file(dir.resolve("test/a/1.png"), SampleFiles.rgbPng(9, (x, y) -> 0));
    assertThatExceptionOfType(FormatException.class)
        .isThrownBy(() -> DataSets.open("folder:" + dir, SMALL))
        .withMessageContaining("puts class 'a' into a second split");
  }

  @Test
  void mistakesAreExplained() throws IOException {
    assertThatExceptionOfType(DataException.class)
        .isThrownBy(() -> DataSets.open("folder:" + dir.resolve("none"), SMALL))
        .withMessage(dir.resolve("none") + " does not exist");
    assertThatExceptionOfType(FormatException.class)
        .isThrownBy(() -> DataSets.open("folder:" + dir, SMALL))
        .withMessageContaining("holds no class folders");
    classes(2);
    assertThatExceptionOfType(FormatException.class)
        .isThrownBy(() -> DataSets.open("folder:" + dir, SMALL))
        .withMessage(dir + " holds 2 classes, but a split by class needs at least 3");
    classes(4);
    Files.createDirectories(dir.resolve("empty"));
    assertThatExceptionOfType(FormatException.class)
        .isThrownBy(() -> DataSets.open("folder:" + dir, SMALL))
        .withMessage("class folder " + dir.resolve("empty") + " holds no images");
    Files.delete(dir.resolve("empty"));
    Files.write(dir.resolve("class01/9.png"), new byte[] {1, 2, 3});
    assertThatExceptionOfType(FormatException.class)
        .isThrownBy(() -> DataSets.open("folder:" + dir, SMALL))
        .withMessage(dir.resolve("class01/9.png") + " is not a PNG, JPEG, BMP or GIF image");
    Files.delete(dir.resolve("class01/9.png"));
    Files.write(dir.resolve("loose.png"), SampleFiles.rgbPng(9, (x, y) -> 0));
    assertThatExceptionOfType(FormatException.class)
        .isThrownBy(() -> DataSets.open("folder:" + dir, SMALL))
        .withMessageContaining("loose.png lies in no class folder");
  }
}
