package dev.vauban.cli.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EpsTest {
  @ParameterizedTest
  @CsvSource({
    "8/255, 0.031372549019607843",
    "0.03, 0.03",
    " 16 / 255 , 0.06274509803921569",
    "1/4, 0.25",
    "383/255, 1.5019607843137255",
    "1e-3, 0.001"
  })
  void readsFractionsAndDecimals(String text, double value) {
    assertThat(Eps.parse(text).value()).isEqualTo(value);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "0", "-0.1", "1", "8", "255", "NaN", "0/255", "-8/255", "8/0", "0/0", "", "/", "8/", "/255",
        "8/2/5", "eight"
      })
  void refusesTheRestWithASentence(String text) {
    assertThatThrownBy(() -> Eps.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("eps");
  }

  @Test
  void asksWhether255thsWereMeant() {
    assertThatThrownBy(() -> Eps.parse("8"))
        .hasMessage("eps is a fraction of the pixel range in (0,1); did you mean 8/255?");
  }

  @Test
  void isWrittenIn255thsWhereThatIsRound() {
    assertThat(Eps.format(8 / 255.0)).isEqualTo("8/255");
    assertThat(Eps.format(0.3)).isEqualTo("0.3000");
    assertThat(Eps.parse("8/255")).hasToString("8/255").isEqualTo(Eps.of255(8));
  }
}
