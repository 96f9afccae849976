package dev.vauban.nn;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NearestNameTest {
  private static final List<String> METHODS =
      List.of("maml", "fomaml", "anil", "rmaml-out", "rmaml-both");

  @ParameterizedTest
  @CsvSource({
    "mmal, maml",
    "MAML, maml",
    "rmaml-uot, rmaml-out",
    "fomalm, fomaml",
    "anli, anil",
    "rmaml, rmaml-out",
    "foma, fomaml",
    "rmaml_both, rmaml-both"
  })
  void findsASlip(String typed, String meant) {
    assertThat(NearestName.of(typed, METHODS)).contains(meant);
  }

  @Test
  void offersNothingForSomethingElse() {
    assertThat(NearestName.of("protonet", METHODS)).isEmpty();
    assertThat(NearestName.of("", METHODS)).isEmpty();
    assertThat(NearestName.unknown("method", "protonet", METHODS))
        .isEqualTo("unknown method 'protonet' (one of: maml, fomaml, anil, rmaml-out, rmaml-both)");
  }

  @ParameterizedTest
  @CsvSource({
    "abc, abc, 0",
    "abc, acb, 1",
    "abc, ab, 1",
    "'', abc, 3",
    "kitten, sitting, 3",
    "ca, abc, 3"
  })
  void countsEdits(String a, String b, int distance) {
    assertThat(NearestName.distance(a, b)).isEqualTo(distance);
    assertThat(NearestName.distance(b, a)).isEqualTo(distance);
  }
}
