package dev.vauban.nn.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vauban.tensor.ClosedException;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Scope;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ImageSetTest {

  private static FewShotData open() {
    return DataSets.open("glyphs", DataOptions.DEFAULT.withGlyphs(new GlyphCounts(6, 0, 4, 3)));
  }

  @Test
  void selectionsShareTheBlock() {
    try (FewShotData data = open()) {
      ImageSet part = data.all().select(7, 2);
      assertThat(part.classNames()).containsExactly("glyph7", "glyph2");
      assertThat(part.imagesOf(0)).containsExactly(21, 22, 23);
      assertThat(part.size()).isEqualTo(6);
      assertThat(part.pixels().address()).isEqualTo(data.all().pixels().address());
      int[] labels = part.labels();
      assertThat(labels).hasSize(30);
      assertThat(labels[21]).isZero();
      assertThat(labels[8]).isEqualTo(1);
      assertThat(labels[0]).isEqualTo(-1);
      assertThat(data.all().select(List.of("glyph2")).imagesOf(0)).isEqualTo(part.imagesOf(1));
    }
  }

  @Test
  void theBlockIsAlignedAndReadOnly() {
    try (FewShotData data = open()) {
      MemorySegment pixels = data.all().pixels();
      assertThat(pixels.address() % 64).isZero();
      assertThat(pixels.byteSize()).isEqualTo(data.all().blockShape().size());
      assertThat(pixels.isReadOnly()).isTrue();
      assertThat(data.all().image(3).isReadOnly()).isTrue();
      assertThatExceptionOfType(IndexOutOfBoundsException.class)
          .isThrownBy(() -> data.all().image(30));
    }
  }

  @Test
  void theHashCoversContentOrderAndNames() {
    try (FewShotData a = open();
        FewShotData b = open()) {
      assertThat(a.all().contentHash()).hasSize(64).isEqualTo(b.all().contentHash());
      assertThat(a.train().contentHash()).isEqualTo(a.all().select(0, 1, 2, 3, 4, 5).contentHash());
      assertThat(a.all().select(1, 0).contentHash())
          .isNotEqualTo(a.all().select(0, 1).contentHash());
      assertThat(a.train().contentHash()).isNotEqualTo(a.test().contentHash());
    }
  }

  @Test
  void wrongSelectionsAreExplained() {
    try (FewShotData data = open()) {
      assertThatExceptionOfType(DataException.class)
          .isThrownBy(() -> data.all().select(10))
          .withMessage("class 10 was asked for, but glyphs has 10 classes");
      assertThatExceptionOfType(DataException.class)
          .isThrownBy(() -> data.all().select(1, 1))
          .withMessage("class 1 of glyphs was asked for twice");
      assertThatExceptionOfType(DataException.class)
          .isThrownBy(() -> data.all().select(List.of("gliph2")))
          .withMessage("glyphs has no class 'gliph2'; did you mean 'glyph2'?");
    }
  }

  @Test
  void useAfterCloseSaysSo() {
    FewShotData data = open();
    ImageSet train = data.train();
    EpisodeSampler sampler = new EpisodeSampler(train, 2, 1, 1, Key.of(1));
    data.close();
    data.close();
    train.close();
    assertThat(train.isClosed()).isTrue();
    assertThatExceptionOfType(ClosedException.class)
        .isThrownBy(train::pixels)
        .withMessage("the images of glyphs were used after their set was closed");
    assertThatExceptionOfType(ClosedException.class).isThrownBy(() -> train.image(0));
    assertThatExceptionOfType(ClosedException.class).isThrownBy(() -> sampler.episode(0));
    try (Scope scope = Scope.open()) {
      MemorySegment room = scope.allocate(8);
      assertThatExceptionOfType(ClosedException.class)
          .isThrownBy(() -> sampler.fill(0, 1, room, room));
    }
  }

  @Test
  void ownImages() {
    byte[] dark = {0, 1, 2, 3};
    byte[] light = {-1, -2, -3, -4};
    Map<String, List<byte[]>> classes = new LinkedHashMap<>();
    classes.put("dark", List.of(dark));
    classes.put("light", List.of(light, dark));
    try (ImageSet set = ImageSet.of("own", 2, 2, 1, classes)) {
      assertThat(set.classNames()).containsExactly("dark", "light");
      assertThat(set.size()).isEqualTo(3);
      assertThat(set.image(set.imageOf(1, 0)).toArray(ValueLayout.JAVA_BYTE)).isEqualTo(light);
      assertThat(set.image(set.imageOf(1, 1)).toArray(ValueLayout.JAVA_BYTE)).isEqualTo(dark);
    }
    classes.put("short", List.of(new byte[3]));
    assertThatThrownBy(() -> ImageSet.of("own", 2, 2, 1, classes))
        .isInstanceOf(DataException.class)
        .hasMessage("image 0 of class 'short' of own has 3 bytes, but 2x2x1 are 4");
    assertThatThrownBy(() -> ImageSet.of("own", 2, 2, 2, classes))
        .hasMessage("images of own have at least 1 pixel and 1 or 3 channels, not 2x2x2");
  }
}
