package dev.vauban.nn.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DataSetsTest {

  @ParameterizedTest
  @CsvSource({"omniglott:x,omniglot", "CIFAR-FS:x,cifarfs", "glyph,glyphs", "MNIST,mnist"})
  void anUnknownNameGetsTheNearest(String spec, String nearest) {
    String given = spec.split(":")[0];
    assertThatExceptionOfType(DataException.class)
        .isThrownBy(() -> DataSets.open(spec))
        .withMessage(
            "unknown data set '"
                + given
                + "'; did you mean '"
                + nearest
                + "'? (one of: omniglot, cifarfs, mnist, fashion, folder, glyphs)");
  }

  @Test
  void aNameLikeNothingGetsTheList() {
    assertThatExceptionOfType(DataException.class)
        .isThrownBy(() -> DataSets.open("imagenet-21k:x"))
        .withMessage(
            "unknown data set 'imagenet-21k' (one of: omniglot, cifarfs, mnist, fashion, folder,"
                + " glyphs)");
  }

  @ParameterizedTest
  @CsvSource({"omniglot", "cifarfs:", "mnist", "fashion:", "folder"})
  void aFolderIsNeeded(String spec) {
    String name = spec.split(":")[0];
    assertThatExceptionOfType(DataException.class)
        .isThrownBy(() -> DataSets.open(spec))
        .withMessage("data set '" + name + "' needs the folder it lies in: " + name + ":DIR");
  }

  @ParameterizedTest
  @CsvSource({"omniglot", "cifarfs", "mnist", "fashion", "folder"})
  void aFolderThatIsNotThereIsNamed(String name) {
    assertThatExceptionOfType(DataException.class)
        .isThrownBy(() -> DataSets.open(name + ":/no/such/folder"))
        .withMessageStartingWith("/no/such/folder");
  }

  @Test
  void optionsAreChecked() {
    assertThatExceptionOfType(DataException.class)
        .isThrownBy(() -> DataOptions.DEFAULT.withSize(3))
        .withMessage("image size is 3, but must be 4 to 1024 pixels");
    assertThat(DataOptions.DEFAULT.withSize(20).withSeed(5).size()).isEqualTo(20);
  }
}
