package dev.vauban.cli.terminal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class TextTableTest {
  @Test
  void alignsWordsLeftAndNumbersRight() {
    String text =
        new TextTable()
            .left("method")
            .right("clean")
            .left("run")
            .row("maml", "89.6 ± 1.0%", "runs/a")
            .row("rmaml-out", "9.7 ± 1.0%", "runs/b")
            .format(80);
    assertThat(text)
        .isEqualToNormalizingNewlines(
            """
            method            clean   run
            ─────────   ───────────   ──────
            maml        89.6 ± 1.0%   runs/a
            rmaml-out    9.7 ± 1.0%   runs/b\
            """);
  }

  @Test
  void countsCellsNotCharacters() {
    assertThat(TextTable.cells("é")).isEqualTo(1);
    assertThat(TextTable.cells("e\u0301")).isEqualTo(1);
    assertThat(TextTable.cells("文字")).isEqualTo(4);
    assertThat(TextTable.cells("🙂")).isEqualTo(2);
    assertThat(TextTable.cells("\u001b[32mok\u001b[0m")).isEqualTo(2);
    String text = new TextTable().left("a").left("b").row("文字", "x").row("latin", "y").format(80);
    assertThat(text.lines().skip(2)).containsExactly("文字    x", "latin   y");
  }

  @Test
  void shortensTheWidestWordsToFit() {
    String text =
        new TextTable()
            .left("name")
            .right("n")
            .row("a rather long description of things", 12345)
            .format(24);
    assertThat(text.lines())
        .allSatisfy(line -> assertThat(TextTable.cells(line)).isLessThanOrEqualTo(24));
    assertThat(text).contains("a rather long d…", "12345");
  }

  @Test
  void neverCutsNumbers() {
    String text = new TextTable().right("n").right("m").row("123456789", "987654321").format(10);
    assertThat(text).contains("123456789   987654321");
  }

  @Test
  void lineBreaksInCellsBecomeSpaces() {
    assertThat(new TextTable().left("a").row("x\ny").format(80)).endsWith("x y");
  }

  @Test
  void aRowOfAnotherLengthIsAMistake() {
    assertThatThrownBy(() -> new TextTable().left("a").row("x", "y"))
        .hasMessage("2 cells in a table of 1 columns");
  }
}
