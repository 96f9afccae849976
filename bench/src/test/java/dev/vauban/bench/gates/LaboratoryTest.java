package dev.vauban.bench.gates;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vauban.bench.Machine;
import dev.vauban.bench.gates.Result.Score;
import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.failure.ExitCode;
import dev.vauban.cli.terminal.Json;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LaboratoryTest {
  @TempDir Path work;

  @Test
  void aKeptResultIsReadBack() throws Exception {
    Result result = result();
    Path file = Files.writeString(work.resolve("r.json"), Json.pretty(result));
    assertThat(Laboratory.kept(file)).isEqualTo(result);
  }

  @Test
  void aDamagedResultIsOneSentence() throws Exception {
    String whole = Json.pretty(result());
    damaged(whole.substring(0, whole.length() / 2));
    damaged("null");
    damaged("");
    damaged(whole.replace("\"pgd-40\"", "\"pgd-4\""));
    damaged(whole.replace("\"16\"", "\"15\""));
  }

  private void damaged(String content) throws Exception {
    Path file = Files.writeString(work.resolve("r.json"), content);
    assertThatThrownBy(() -> Laboratory.kept(file))
        .isInstanceOfSatisfying(
            CommandException.class, e -> assertThat(e.code()).isEqualTo(ExitCode.BAD_INPUT))
        .hasMessageContaining(file + " is damaged: ")
        .hasMessageContaining("delete it to measure again");
  }

  private static Result result() {
    Map<String, Score> robust = new LinkedHashMap<>();
    Result.RADII.forEach(radius -> robust.put(radius.toString(), new Score(0.5, 0.01)));
    Map<String, Score> other = new LinkedHashMap<>();
    for (String attack : List.of("fgsm", "fgsm-rs", "pgd-10", "pgd-40", "transfer")) {
      other.put(attack, new Score(0.4, 0.01));
    }
    return new Result(
        "maml-32",
        0,
        10,
        8,
        1,
        1,
        0.9,
        0.01,
        robust,
        8,
        other,
        0,
        20,
        15,
        0,
        10,
        0,
        Machine.here());
  }
}
