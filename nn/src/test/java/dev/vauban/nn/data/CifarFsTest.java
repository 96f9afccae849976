package dev.vauban.nn.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.vauban.tensor.FormatException;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CifarFsTest {
  @TempDir Path dir;

  private static byte[] plain(int rgb) {
    return SampleFiles.rgbPng(32, (x, y) -> x == 0 ? 0x102030 : rgb);
  }

  private static Map<String, byte[]> entries(String... classFolders) {
    Map<String, byte[]> entries = new LinkedHashMap<>();
    for (String folder : classFolders) {
      entries.put(folder + "/b.png", plain(folder.hashCode() & 0xFFFFFF));
      entries.put(folder + "/a.png", plain(0xFF8000));
    }
    return entries;
  }

  private void split(String json) throws IOException {
    Files.writeString(dir.resolve("split.json"), json);
  }

  @Test
  void archivesWithASplitFile() throws IOException {
    SampleFiles.zip(dir.resolve("a.zip"), entries("train/apple", "val/crab"));
    SampleFiles.zip(dir.resolve("b.zip"), entries("test/baby"));
    split("{\"train\": [\"apple\"], \"val\": [\"crab\"], \"test\": [\"baby\"]}");
    try (FewShotData data = DataSets.open("cifar-fs:" + dir)) {
      assertThat(data.train().classNames()).containsExactly("apple");
      assertThat(data.validation().classNames()).containsExactly("crab");
      assertThat(data.test().classNames()).containsExactly("baby");
      assertThat(data.evaluation()).isSameAs(data.test());
      // a.png comes before b.png; red, green, blue in this order.
      byte[] image = data.all().image(0).toArray(ValueLayout.JAVA_BYTE);
      assertThat(image).hasSize(32 * 32 * 3).startsWith(0x10, 0x20, 0x30, 0xFF, 0x80, 0x00);
    }
  }

  @Test
  void aCopyWithoutTestClassesIsEvaluatedOnValidation() throws IOException {
    SampleFiles.zip(dir.resolve("a.zip"), entries("apple", "crab"));
    split("{\"train\": [\"apple\"], \"val\": [\"crab\"], \"test\": [\"baby\", \"bed\"]}");
    try (FewShotData data = DataSets.open("cifarfs:" + dir)) {
      assertThat(data.test().classCount()).isZero();
      assertThat(data.evaluation()).isSameAs(data.validation());
      assertThat(data.description()).contains("no test classes");
    }
  }

  @Test
  void classFoldersWithoutASplitFile() throws IOException {
    for (Map.Entry<String, byte[]> e : entries("train/apple", "test/crab").entrySet()) {
      SampleFiles.file(dir.resolve(e.getKey()), e.getValue());
    }
    try (FewShotData data = DataSets.open("cifarfs:" + dir)) {
      assertThat(data.train().classNames()).containsExactly("apple");
      assertThat(data.test().classNames()).containsExactly("crab");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"train\": [\"apple\"]} | class 'crab' belongs to no split",
        "{\"train\": [\"apple\", \"bee\"], \"val\": [\"crab\"]} | lists class 'bee', which has no"
            + " images",
        "{\"val\": [\"apple\", \"crab\"]} | no training classes",
        "{\"train\": [\"apple\", \"apple\"], \"val\": [\"crab\"]} | names class 'apple' twice",
        "{\"train\": [3]} | lists 3 where a class name belongs",
        "{\"trian\": [\"apple\"]} | has a member 'trian'",
        "[1, 2] | is not an object",
        "{\"train\": [\"apple\" | is not JSON"
      })
  void wrongSplitFilesAreExplained(String json, String message) throws IOException {
    SampleFiles.zip(dir.resolve("a.zip"), entries("apple", "crab"));
    split(json);
    assertThatExceptionOfType(FormatException.class)
        .isThrownBy(() -> DataSets.open("cifarfs:" + dir))
        .withMessageContaining(message);
  }

  @Test
  void aClassInAnArchiveAndInAFolderIsRefused() throws IOException {
    SampleFiles.zip(dir.resolve("a.zip"), entries("train/apple"));
    for (Map.Entry<String, byte[]> e : entries("train/apple").entrySet()) {
      SampleFiles.file(dir.resolve(e.getKey()), e.getValue());
    }
    assertThatExceptionOfType(FormatException.class)
        .isThrownBy(() -> DataSets.open("cifarfs:" + dir))
        .withMessageContaining("class 'apple' is there twice");
  }

  @Test
  void anEmptyFolderAndOtherSizesAreRefused() throws IOException {
    assertThatExceptionOfType(FormatException.class)
        .isThrownBy(() -> DataSets.open("cifarfs:" + dir))
        .withMessageContaining("holds no images");
    Map<String, byte[]> entries = entries("train/apple");
    entries.put("train/apple/c.png", SampleFiles.rgbPng(33, (x, y) -> 0));
    SampleFiles.zip(dir.resolve("a.zip"), entries);
    assertThatExceptionOfType(FormatException.class)
        .isThrownBy(() -> DataSets.open("cifarfs:" + dir))
        .withMessageContaining("train/apple/c.png in " + dir.resolve("a.zip") + " is 33x33");
  }

  @Test
  void theRealSetHasThePublishedCounts() {
    Path real = SampleFiles.real("cifar-fs");
    try (FewShotData data = DataSets.open("cifarfs:" + real)) {
      assertThat(data.train().classCount()).isEqualTo(64);
      assertThat(data.validation().classCount()).isEqualTo(16);
      assertThat(data.all().leastImages()).isEqualTo(600);
      assertThat(data.train().classNames())
          .doesNotContainAnyElementsOf(data.evaluation().classNames());
      assertThat(data.train().channels()).isEqualTo(3);
      // The mean of CIFAR-100's training images is 0.507, 0.487, 0.441.
      double[] mean = new double[3];
      for (int i = 0; i < data.all().size(); i += 11) {
        byte[] image = data.all().image(i).toArray(ValueLayout.JAVA_BYTE);
        for (int p = 0; p < image.length; p++) {
          mean[p % 3] += (image[p] & 0xFF) / (255.0 * 1024 * ((data.all().size() + 10) / 11));
        }
      }
      assertThat(mean[0]).isBetween(0.47, 0.54);
      assertThat(mean[1]).isBetween(0.45, 0.52);
      assertThat(mean[2]).isBetween(0.40, 0.48);
    }
  }
}
