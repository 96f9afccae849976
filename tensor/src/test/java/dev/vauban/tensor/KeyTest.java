package dev.vauban.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class KeyTest {

  /** The known-answer vectors of the Random123 library for threefry2x32, 20 rounds. */
  @Test
  void blockMatchesThePublishedVectors() {
    assertThat(Key.block(0, 0, 0, 0)).isEqualTo(0x6b20015999ba4efeL);
    assertThat(Key.block(-1, -1, -1, -1)).isEqualTo(0x1cb996fcbb002be7L);
    assertThat(Key.block(0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3))
        .isEqualTo(0xc4923a9c483df7a0L);
  }

  @Test
  void foldedKeysDiffer() {
    Key key = Key.of(3);
    assertThat(IntStream.range(0, 1000).mapToObj(key::fold).distinct()).hasSize(1000);
  }

  @Test
  void aPermutationHoldsEveryIndexOnce() {
    int[] p = Key.of(9).permutation(257);
    assertThat(p).isNotEqualTo(IntStream.range(0, 257).toArray());
    Arrays.sort(p);
    assertThat(p).isEqualTo(IntStream.range(0, 257).toArray());
  }
}
