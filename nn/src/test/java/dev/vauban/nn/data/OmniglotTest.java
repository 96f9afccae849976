package dev.vauban.nn.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.vauban.tensor.FormatException;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class OmniglotTest {
  private static final DataOptions ALPHABET =
      DataOptions.DEFAULT.withOmniglotSplit(OmniglotSplit.ALPHABET);

  @TempDir Path dir;

  // A filled square of ink in the upper left quarter of the paper.
  private static final byte[] CORNER = SampleFiles.inkPng(105, (x, y) -> x < 45 && y < 45 ? 1 : 0);

  private Map<String, byte[]> half(String alphabet, int characters, byte[] image) {
    Map<String, byte[]> entries = new LinkedHashMap<>();
    for (int c = 1; c <= characters; c++) {
      for (int i = 1; i <= 2; i++) {
        entries.put("half/%s/character%02d/%04d_%02d.png".formatted(alphabet, c, c, i), image);
      }
    }
    return entries;
  }

  private void tiny() throws IOException {
    SampleFiles.zip(dir.resolve("images_background.zip"), half("Greek", 3, CORNER));
    SampleFiles.zip(dir.resolve("images_evaluation.zip"), half("Keble", 2, CORNER));
  }

  private static int at(MemorySegment image, int y, int x) {
    return image.get(ValueLayout.JAVA_BYTE, y * 28L + x) & 0xFF;
  }

  @Test
  void inkIsBrightAndPaperDark() throws IOException {
    tiny();
    try (FewShotData data = DataSets.open("omniglot:" + dir, ALPHABET)) {
      assertThat(data.train().classNames())
          .containsExactly("Greek/character01", "Greek/character02", "Greek/character03");
      assertThat(data.test().classCount()).isEqualTo(2);
      assertThat(data.validation().classCount()).isZero();
      MemorySegment image = data.all().image(0);
      assertThat(at(image, 0, 0)).isEqualTo(255);
      assertThat(at(image, 10, 10)).isEqualTo(255);
      assertThat(at(image, 14, 14)).isZero();
      assertThat(at(image, 27, 27)).isZero();
    }
  }

  @Test
  void foldersGiveTheSameDataAsArchives() throws IOException {
    tiny();
    String hash;
    try (FewShotData data = DataSets.open("omniglot:" + dir, ALPHABET)) {
      hash = data.all().contentHash();
    }
    Path unpacked = dir.resolve("unpacked");
    for (String half : List.of("Greek:3", "Keble:2")) {
      String name = half.substring(0, 5);
      String folder = name.equals("Greek") ? "images_background" : "images_evaluation";
      for (Map.Entry<String, byte[]> e : half(name, half.charAt(6) - '0', CORNER).entrySet()) {
        SampleFiles.file(unpacked.resolve(folder).resolve(e.getKey().substring(5)), e.getValue());
      }
    }
    try (FewShotData data = DataSets.open("omniglot:" + unpacked, ALPHABET)) {
      assertThat(data.all().contentHash()).isEqualTo(hash);
    }
  }

  @Test
  void rotationsAreExactQuarterTurnsOfTrainingClasses() throws IOException {
    tiny();
    try (FewShotData data =
        DataSets.open("omniglot:" + dir, ALPHABET.withRotations(Rotations.TRAIN))) {
      assertThat(data.train().classCount()).isEqualTo(12);
      assertThat(data.test().classCount()).isEqualTo(2);
      assertThat(data.train().classNames().subList(0, 4))
          .containsExactly(
              "Greek/character01",
              "Greek/character01@90",
              "Greek/character01@180",
              "Greek/character01@270");
      checkTurned(data.train(), 0);
      checkTurned(data.train(), 8);
      // Counter-clockwise: ink of the upper left corner comes to the lower left.
      assertThat(at(data.all().image(data.train().imageOf(1, 0)), 27, 0)).isEqualTo(255);
      assertThat(at(data.all().image(data.train().imageOf(1, 0)), 0, 0)).isZero();
    }
    try (FewShotData data =
        DataSets.open("omniglot:" + dir, ALPHABET.withRotations(Rotations.ALL))) {
      assertThat(data.test().classCount()).isEqualTo(8);
      checkTurned(data.test(), 4);
    }
  }

  private static void checkTurned(ImageSet set, int upright) {
    for (int quarter = 1; quarter <= 3; quarter++) {
      for (int i = 0; i < set.imageCount(upright); i++) {
        MemorySegment a = set.image(set.imageOf(upright + quarter - 1, i));
        MemorySegment b = set.image(set.imageOf(upright + quarter, i));
        for (int y = 0; y < 28; y++) {
          for (int x = 0; x < 28; x++) {
            assertThat(at(b, 27 - x, y)).isEqualTo(at(a, y, x));
          }
        }
      }
    }
  }

  @Test
  void missingAndDamagedFilesAreNamed() throws IOException {
    assertThatExceptionOfType(DataException.class)
        .isThrownBy(() -> DataSets.open("omniglot:" + dir))
        .withMessageContaining("images_background.zip");
    tiny();
    Path zip = dir.resolve("images_evaluation.zip");
    byte[] whole = Files.readAllBytes(zip);
    Files.write(zip, java.util.Arrays.copyOf(whole, whole.length / 2));
    assertThatExceptionOfType(FormatException.class)
        .isThrownBy(() -> DataSets.open("omniglot:" + dir, ALPHABET))
        .withMessageStartingWith(zip + " is not a complete zip archive");

    Map<String, byte[]> entries = half("Keble", 2, CORNER);
    entries.put("half/Keble/character02/0002_01.png", java.util.Arrays.copyOf(CORNER, 60));
    SampleFiles.zip(zip, entries);
    assertThatExceptionOfType(FormatException.class)
        .isThrownBy(() -> DataSets.open("omniglot:" + dir, ALPHABET))
        .withMessageStartingWith(
            "half/Keble/character02/0002_01.png in " + zip + " is not a readable image");

    entries.put("half/Keble/character02/0002_01.png", "no image".getBytes());
    SampleFiles.zip(zip, entries);
    assertThatExceptionOfType(FormatException.class)
        .isThrownBy(() -> DataSets.open("omniglot:" + dir, ALPHABET))
        .withMessageContaining("is not a PNG, JPEG, BMP or GIF image");
  }

  @Test
  void flippedBytesInsideAnArchiveAreFound() throws IOException {
    tiny();
    Path zip = dir.resolve("images_background.zip");
    byte[] bytes = Files.readAllBytes(zip);
    // The first entry's data starts after its 30-byte header and its name.
    int data = 30 + "half/Greek/character01/0001_01.png".length();
    bytes[data + 50] ^= 0x10;
    Files.write(zip, bytes);
    assertThatExceptionOfType(FormatException.class)
        .isThrownBy(() -> DataSets.open("omniglot:" + dir, ALPHABET))
        .withMessageContaining("0001_01.png in " + zip + " is corrupt");
  }

  @Test
  void imagesOfAnotherSizeAreRefused() throws IOException {
    tiny();
    Map<String, byte[]> entries = half("Greek", 3, CORNER);
    entries.put("half/Greek/character03/0003_02.png", SampleFiles.inkPng(104, (x, y) -> 0));
    SampleFiles.zip(dir.resolve("images_background.zip"), entries);
    assertThatExceptionOfType(FormatException.class)
        .isThrownBy(() -> DataSets.open("omniglot:" + dir, ALPHABET))
        .withMessageContaining("is 104x104 pixels, but images of this data set are 105x105");
  }

  @Test
  void entriesThatClimbOutOfTheArchiveAreRefused() throws IOException {
    tiny();
    Map<String, byte[]> entries = half("Greek", 1, CORNER);
    entries.put("half/../../Greek/character09/0009_01.png", CORNER);
    SampleFiles.zip(dir.resolve("images_background.zip"), entries);
    assertThatExceptionOfType(FormatException.class)
        .isThrownBy(() -> DataSets.open("omniglot:" + dir, ALPHABET))
        .withMessageContaining("has a path that leaves the archive");
  }

  @Test
  void decompressionBombsAreRefused() throws IOException {
    tiny();
    Map<String, byte[]> entries = half("Greek", 1, CORNER);
    entries.put("half/Greek/character09/0009_01.png", new byte[(32 << 20) + 1]);
    SampleFiles.zip(dir.resolve("images_background.zip"), entries);
    assertThatExceptionOfType(FormatException.class)
        .isThrownBy(() -> DataSets.open("omniglot:" + dir, ALPHABET))
        .withMessageContaining("0009_01.png");
    byte[] huge = SampleFiles.image("png", BufferedImage.TYPE_BYTE_BINARY, 9000, 9000, (x, y) -> 0);
    assertThat(huge.length).isLessThan(1 << 20);
    entries.put("half/Greek/character09/0009_01.png", huge);
    SampleFiles.zip(dir.resolve("images_background.zip"), entries);
    assertThatExceptionOfType(FormatException.class)
        .isThrownBy(() -> DataSets.open("omniglot:" + dir, ALPHABET))
        .withMessageContaining("has 9000x9000 pixels, which is too many");
  }

  @Test
  void splitsOfTheWholeSetNeedTheWholeSet() throws IOException {
    tiny();
    assertThatExceptionOfType(FormatException.class)
        .isThrownBy(() -> DataSets.open("omniglot:" + dir))
        .withMessage(dir + " holds 5 characters, but this split divides all 1623 of Omniglot");
  }

  @ParameterizedTest
  @EnumSource(OmniglotSplit.class)
  void theRealSetHasThePublishedCounts(OmniglotSplit split) {
    Path real = SampleFiles.real("omniglot");
    try (FewShotData data =
        DataSets.open("omniglot:" + real, DataOptions.DEFAULT.withOmniglotSplit(split))) {
      assertThat(data.all().size()).isEqualTo(32_460);
      List<Integer> counts =
          switch (split) {
            case VINYALS -> List.of(1028, 172, 423);
            case ALPHABET -> List.of(964, 0, 659);
            case SHUFFLED -> List.of(1200, 0, 423);
          };
      assertThat(
              List.of(
                  data.train().classCount(),
                  data.validation().classCount(),
                  data.test().classCount()))
          .isEqualTo(counts);
      Set<String> names = new HashSet<>(data.train().classNames());
      names.addAll(data.validation().classNames());
      names.addAll(data.test().classNames());
      assertThat(names).hasSize(1623);
      assertThat(data.all().leastImages()).isEqualTo(20);
      if (split == OmniglotSplit.VINYALS) {
        checkVinyals(data);
        checkInk(data.all());
      }
    }
  }

  // Facts of the published lists: 236 evaluation characters train; the rest of Gurmukhi tests.
  private static void checkVinyals(FewShotData data) {
    assertThat(data.train().classNames()).contains("Gurmukhi/character41", "Greek/character01");
    assertThat(data.test().classNames())
        .contains("Gurmukhi/character42", "ULOG/character26")
        .doesNotContain("Gurmukhi/character41");
    assertThat(data.validation().classNames())
        .contains("Hebrew/character01", "Mkhedruli_(Georgian)/character41");
  }

  // Paper is 235 of 255 on average in the source, so ink is about 8 percent.
  private static void checkInk(ImageSet set) {
    double sum = 0;
    int brightest = 0;
    for (int i = 0; i < set.size(); i += 7) {
      MemorySegment image = set.image(i);
      for (int p = 0; p < 28 * 28; p++) {
        int v = image.get(ValueLayout.JAVA_BYTE, p) & 0xFF;
        sum += v;
        brightest = Math.max(brightest, v);
      }
    }
    double mean = sum / (255.0 * 784 * ((set.size() + 6) / 7));
    assertThat(mean).isBetween(0.07, 0.09);
    assertThat(brightest).isEqualTo(255);
  }
}
