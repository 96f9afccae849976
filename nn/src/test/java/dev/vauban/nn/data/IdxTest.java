package dev.vauban.nn.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.vauban.tensor.FormatException;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class IdxTest {
  private static final int IMAGES = 0x803;
  private static final int LABELS = 0x801;

  @TempDir Path dir;

  private static byte[] bytes(int n, int step) {
    byte[] b = new byte[n];
    for (int i = 0; i < n; i++) {
      b[i] = (byte) (i * step);
    }
    return b;
  }

  private static byte[] labelsOf(int n) {
    byte[] labels = new byte[n];
    for (int i = 0; i < n; i++) {
      labels[i] = (byte) (i % 10);
    }
    return labels;
  }

  // 24 training and 10 test images of 3x2 pixels.
  private void tiny(String ending) throws IOException {
    SampleFiles.idx(
        dir.resolve("train-images-idx3-ubyte" + ending),
        IMAGES,
        new int[] {24, 3, 2},
        bytes(24 * 6, 1));
    SampleFiles.idx(
        dir.resolve("train-labels-idx1-ubyte" + ending), LABELS, new int[] {24}, labelsOf(24));
    SampleFiles.idx(
        dir.resolve("t10k-images-idx3-ubyte" + ending),
        IMAGES,
        new int[] {10, 3, 2},
        bytes(10 * 6, 3));
    SampleFiles.idx(
        dir.resolve("t10k-labels-idx1-ubyte" + ending), LABELS, new int[] {10}, labelsOf(10));
  }

  @ParameterizedTest
  @ValueSource(strings = {".gz", ""})
  void bothFormsAreRead(String ending) throws IOException {
    tiny(ending);
    try (FewShotData data = DataSets.open("mnist:" + dir)) {
      assertThat(data.kind()).isEqualTo(SplitKind.BY_IMAGE);
      assertThat(data.all().blockShape().dims()).containsExactly(34, 3, 2, 1);
      assertThat(data.train().size()).isEqualTo(20);
      assertThat(data.validation().size()).isEqualTo(4);
      assertThat(data.test().size()).isEqualTo(10);
      assertThat(data.train().imagesOf(3)).containsExactly(3, 13);
      assertThat(data.validation().imagesOf(3)).containsExactly(23);
      assertThat(data.test().imagesOf(3)).containsExactly(27);
      assertThat(data.all().image(5).toArray(ValueLayout.JAVA_BYTE))
          .containsExactly(30, 31, 32, 33, 34, 35);
      assertThat(data.all().image(24 + 2).toArray(ValueLayout.JAVA_BYTE))
          .containsExactly(36, 39, 42, 45, 48, 51);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "0x801 | 24 3 2 | 144 | starts with 0x00000801, but IDX images start with 0x00000803",
        "0x803 | 25 3 2 | 144 | promises 150 bytes, but a file of 160 cannot hold them",
        "0x803 | 2147483647 1024 1024 | 144 | cannot hold them",
        "0x803 | 2147483647 2147483647 2147483647 | 144 | promises an impossible number",
        "0x803 | -1 3 2 | 144 | has a count of -1",
        "0x803 | 0 3 2 | 0 | has a count of 0",
        "0x803 | 24 3 2 | 145 | goes on after the 144 bytes",
        "0x803 | 23 3 2 | 138 | has 24 labels for 23 images",
        "0x803 | 24 1 6 | 144 | hold images of different sizes"
      })
  void lyingHeadersAreFound(String magic, String dims, int body, String message)
      throws IOException {
    tiny("");
    Path file = dir.resolve("train-images-idx3-ubyte");
    int[] header = Arrays.stream(dims.split(" ")).mapToInt(Integer::parseInt).toArray();
    SampleFiles.idx(file, Integer.decode(magic), header, bytes(body, 1));
    assertThatExceptionOfType(FormatException.class)
        .isThrownBy(() -> DataSets.open("mnist:" + dir))
        .withMessageContaining(message);
  }

  @Test
  void aTruncatedArchiveIsFound() throws IOException {
    tiny(".gz");
    Path file = dir.resolve("train-images-idx3-ubyte.gz");
    byte[] whole = Files.readAllBytes(file);
    for (int length : new int[] {0, 5, 14, 40, whole.length - 9, whole.length - 4}) {
      Files.write(file, Arrays.copyOf(whole, length));
      assertThatExceptionOfType(FormatException.class)
          .as("%d of %d bytes", length, whole.length)
          .isThrownBy(() -> DataSets.open("mnist:" + dir))
          .withMessageContaining(file.toString());
    }
    // Fewer bytes than promised inside an intact gzip stream.
    SampleFiles.idx(file, IMAGES, new int[] {24, 3, 2}, bytes(143, 1));
    assertThatExceptionOfType(FormatException.class)
        .isThrownBy(() -> DataSets.open("mnist:" + dir))
        .withMessage(file + " ends after 143 of 144 bytes");
  }

  @Test
  void aLabelOutOfRangeIsFound() throws IOException {
    tiny("");
    byte[] labels = labelsOf(24);
    labels[7] = (byte) 200;
    SampleFiles.idx(dir.resolve("train-labels-idx1-ubyte"), LABELS, new int[] {24}, labels);
    assertThatExceptionOfType(FormatException.class)
        .isThrownBy(() -> DataSets.open("mnist:" + dir))
        .withMessageContaining("labels image 7 as class 200; there are 10");
  }

  @Test
  void aMissingFileAndAnotherSizeAreRefused() throws IOException {
    tiny("");
    assertThatExceptionOfType(DataException.class)
        .isThrownBy(() -> DataSets.open("mnist:" + dir, DataOptions.DEFAULT.withSize(28)))
        .withMessageContaining("are not resampled");
    Files.delete(dir.resolve("t10k-labels-idx1-ubyte"));
    assertThatExceptionOfType(DataException.class)
        .isThrownBy(() -> DataSets.open("mnist:" + dir))
        .withMessageContaining("has no file t10k-labels-idx1-ubyte.gz");
  }

  @ParameterizedTest
  @CsvSource({"mnist, mnist, 0.1307", "fashion-mnist, fashion, 0.2860"})
  void theRealSetsHaveTheKnownMeans(String folder, String name, double mean) {
    Path real = SampleFiles.real(folder);
    try (FewShotData data = DataSets.open(name + ":" + real)) {
      assertThat(data.all().blockShape().dims()).containsExactly(70_000, 28, 28, 1);
      assertThat(data.train().size()).isEqualTo(50_000);
      assertThat(data.validation().size()).isEqualTo(10_000);
      assertThat(data.test().size()).isEqualTo(10_000);
      long sum = 0;
      // The published mean is of the 60,000 training images.
      for (long i = 0; i < 60_000L * 784; i++) {
        sum += data.all().pixels().get(ValueLayout.JAVA_BYTE, i) & 0xFF;
      }
      assertThat(sum / (255.0 * 60_000 * 784))
          .isCloseTo(mean, org.assertj.core.api.Assertions.within(1e-4));
    }
  }
}
