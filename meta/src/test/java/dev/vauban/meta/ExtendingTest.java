package dev.vauban.meta;

import static org.assertj.core.api.Assertions.assertThat;

import example.Application;
import example.Hardened;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The programs of docs/extending.md compile, are printed there word for word, and learn. */
class ExtendingTest {
  private static final Path ROOT = Path.of(System.getProperty("vauban.root", ".."));

  @ParameterizedTest
  @ValueSource(strings = {"SignMaml", "Gratings", "Application", "Hardened"})
  void theProgramIsPrintedWordForWord(String name) throws Exception {
    Path file = ROOT.resolve("meta/src/test/java/example/" + name + ".java");
    List<String> lines = Files.readAllLines(file);
    String program = String.join("\n", lines);
    assertThat(Files.readString(ROOT.resolve("docs/extending.md"))).contains(program);
    if (name.equals("SignMaml")) {
      assertThat(lines).hasSizeLessThanOrEqualTo(30);
    }
  }

  @Test
  void theApplicationLearns() {
    double before = Application.run(0).clean(3).mean();
    Evaluation after = Application.run(120);
    assertThat(after.clean(3).mean()).isGreaterThan(before + 0.1).isGreaterThan(0.6);
    assertThat(after.robust(3).mean()).isLessThanOrEqualTo(after.clean(3).mean());
  }

  @Test
  void theDefenceDefends() {
    double[] plain = Hardened.train(Hardened.PLAIN, 100);
    double[] trades = Hardened.train(Hardened.TRADES, 100);
    assertThat(plain[0]).isGreaterThan(0.8);
    assertThat(trades[0]).isGreaterThan(0.8);
    assertThat(trades[1]).isGreaterThan(plain[1] + 0.3);
  }
}
