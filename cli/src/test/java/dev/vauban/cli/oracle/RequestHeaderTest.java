package dev.vauban.cli.oracle;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RequestHeaderTest {
  /** A service may repeat a secret as JSON spells it. */
  @Test
  void aSecretIsHiddenInEverySpelling() {
    List<RequestHeader> headers =
        List.of(
            RequestHeader.parse(
                "Authorization: Bearer $TOKEN", Map.of("TOKEN", "ab/c\"d\\e.f")::get));
    for (String spelled :
        List.of(
            "ab/c\"d\\e.f",
            "ab\\/c\\\"d\\\\e.f",
            "ab\\u002Fc\\u0022d\\u005ce\\u002ef",
            "\\u0061b/c\\\"d\\\\e.f")) {
      assertThat(RequestHeader.hidden(headers, "{\"error\":\"no: " + spelled + "\"}"))
          .isEqualTo("{\"error\":\"no: $TOKEN\"}");
    }
    assertThat(RequestHeader.hidden(headers, "ab/c\"d\\eXf")).isEqualTo("ab/c\"d\\eXf");
  }
}
