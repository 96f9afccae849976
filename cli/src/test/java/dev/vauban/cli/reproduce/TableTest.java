package dev.vauban.cli.reproduce;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vauban.cli.config.Order;
import dev.vauban.cli.config.Scale;
import dev.vauban.cli.reproduce.Table.Cell;
import dev.vauban.cli.reproduce.Table.Claim;
import dev.vauban.cli.reproduce.Table.Figure;
import dev.vauban.cli.reproduce.Table.Kind;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TableTest {
  private static Figure figure(String line, double clean, double robust, Integer dimension) {
    return new Figure(
        line, "m", 10, 100, clean, 0.01, robust, 0.02, dimension, 7, null, null, 60, 90, 5);
  }

  private static Claim claim(Kind kind, double by) {
    return new Claim("a above b", new Cell("a", "m", kind), new Cell("b", "m", kind), by);
  }

  @Test
  void aClaimHoldsFailsOrIsNotDecided() {
    List<Figure> figures = List.of(figure("a", 0.9, 0.5, 30), figure("b", 0.89, 0.4, 23));
    assertThat(claim(Kind.ROBUST, 0).verdict(figures)).isEqualTo("holds (+10.0 points)");
    assertThat(claim(Kind.ROBUST, 0.2).verdict(figures)).isEqualTo("does not hold (+10.0 points)");
    assertThat(claim(Kind.CLEAN, 0).verdict(figures))
        .isEqualTo("holds, within the interval (+1.0 points)");
    assertThat(claim(Kind.CLEAN, 0.02).verdict(figures))
        .isEqualTo("does not hold, within the interval (+1.0 points)");
    assertThat(claim(Kind.DIMENSION, 0).verdict(figures)).isEqualTo("holds (30 against 23)");
    assertThat(claim(Kind.ROBUST, 0).verdict(figures.subList(0, 1))).isEqualTo("not measured");
    assertThat(
            claim(Kind.DIMENSION, 0).verdict(List.of(figures.getFirst(), figure("b", 1, 1, null))))
        .isEqualTo("not measured");
  }

  @Test
  void theTablesOfThePapers() {
    assertThat(Catalogue.tables())
        .extracting(Table::name)
        .containsExactly(
            "omniglot-5w1s",
            "omniglot-20w1s",
            "cifarfs-5w1s",
            "cifarfs-5w5s",
            "its-shots",
            "inner-steps",
            "when-to-robustify",
            "mavrl-transfer");
    assertThatThrownBy(() -> Catalogue.named("its-shot"))
        .hasMessageStartingWith("unknown table 'its-shot'; did you mean 'its-shots'?");
    Table table = Catalogue.named("omniglot-5w1s");
    assertThat(table.lines()).extracting(Table.Line::label).doesNotHaveDuplicates();
    // The line's own settings stand above the table's, those above the scale's.
    Map<String, String> small = table.training(Scale.SMALL, table.lines().getFirst());
    assertThat(small).containsEntry("iterations", "1500").containsEntry("eps", "16/255");
    assertThat(table.training(Scale.FULL, table.lines().getFirst()))
        .containsEntry("iterations", "15000");
    assertThat(table.evaluating(Scale.SMALL, table.measures().getFirst()))
        .containsEntry("eps", "8/255")
        .containsEntry("episodes", "300");
    assertThatThrownBy(() ->
            new Table(
                "t", "", Map.of(), Map.of(), List.of(), List.of(), List.of(claim(Kind.CLEAN, 0))))
        .hasMessageContaining("no cell");
  }

  /**
   * Where all learners stand side by side, those that the papers train through second derivatives
   * are trained so, however small the scale.
   */
  @ParameterizedTest
  @EnumSource(Scale.class)
  void mamlAndItsLikesAreOfSecondOrderAmongAllLearners(Scale scale) {
    List<String> first = List.of("fomaml", "reptile", "maml-lft");
    for (String name : List.of("omniglot-5w1s", "omniglot-20w1s", "cifarfs-5w1s", "cifarfs-5w5s")) {
      for (Table.Line line : Catalogue.named(name).lines()) {
        Order order = line.order().orElse(Table.order(scale));
        if (List.of("maml", "maml++", "meta-sgd").contains(line.label())) {
          assertThat(order).as("%s in %s", line.label(), name).isEqualTo(Order.SECOND);
        } else if (first.contains(line.label())) {
          assertThat(order).as("%s in %s", line.label(), name).isEqualTo(Order.FIRST);
        }
      }
    }
  }

  /** FOMAML is MAML in first order: a table that has both must not train the same thing twice. */
  @ParameterizedTest
  @EnumSource(Scale.class)
  void noTwoLinesOfATableTrainTheSame(Scale scale) {
    for (Table table : Catalogue.tables()) {
      List<Map<String, String>> all = new ArrayList<>();
      for (Table.Line line : table.lines()) {
        Map<String, String> settings = new HashMap<>(table.training(scale, line));
        if (settings.replace("method", "fomaml", "maml")) {
          settings.put("order", "first");
        }
        all.add(settings);
      }
      assertThat(all).as(table.name()).doesNotHaveDuplicates();
    }
  }
}
