package dev.vauban.bench.gates;

import dev.vauban.cli.terminal.TextTable;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * All that the gates gave.
 *
 * @param device what computed
 * @param data what was learned from, with its hash
 * @param command how to repeat it
 * @param gradients the gradient check
 * @param verdicts of every gate
 * @param seeds the results of each seed
 */
public record GatesReport(
    String device,
    String data,
    String command,
    GradientCheck gradients,
    List<Verdict> verdicts,
    List<Seed> seeds) {
  private static final int WIDTH = 160;

  /**
   * One seed.
   *
   * @param seed of initial weights, training episodes and training attack
   * @param results of the recipes
   */
  public record Seed(long seed, List<Result> results) {}

  /** Whether every gate passes. */
  public boolean pass() {
    return verdicts.stream().allMatch(Verdict::pass);
  }

  /** For the terminal. */
  public String text(int width) {
    StringBuilder s = new StringBuilder();
    for (Seed seed : seeds) {
      TextTable table = new TextTable();
      headings().forEach(table::left);
      for (Result r : seed.results()) {
        rows(r).forEach(row -> table.row(row.toArray()));
      }
      s.append("seed ")
          .append(seed.seed())
          .append('\n')
          .append(table.format(Math.max(width, WIDTH)))
          .append("\n\n");
    }
    TextTable gates =
        new TextTable().left("gate").left("must hold").left("measured").left("reference").left("");
    verdicts.forEach(v -> gates.row(v.gate(), v.claim(), v.measured(), v.reference(), v.word()));
    s.append(gates.format(Math.max(width, WIDTH))).append("\n\n");
    return s.append(pass() ? "all gates pass" : "some gates fail").toString();
  }

  /** For docs/results. */
  public String markdown() {
    StringBuilder s = new StringBuilder("# Gates of robust meta-learning\n\n");
    s.append(
        "An independent implementation measured these methods once, with one seed. This page\n");
    s.append("repeats the measurement with Vauban and judges the gates drawn from it.\n\n");
    s.append("```\n").append(command).append("\n```\n\n");
    seeds.stream()
        .flatMap(seed -> seed.results().stream())
        .map(r -> r.machine().line())
        .distinct()
        .forEach(m -> s.append("- ").append(m).append('\n'));
    s.append("- ").append(device).append('\n');
    s.append("- ").append(data).append('\n');
    s.append(
        """
        - 5-way 1-shot, 15 queries a class; strided Conv4 (convolution, batch norm on batch
          statistics, ReLU), Xavier; first order; inner step 0.1, 5 in training, 10 in testing;
          4 tasks a meta-step, Adam 1e-3; training attack FGSM-RS at 16/255; testing attack PGD-10
          with steps of 2.5 eps / 10 from a random start on the adapted weights, the whole query set
          one batch; the same test episodes and attack starts for every method and seed. ITS trains
          with 5 shots and is tested with 1.
        - Accuracies in percent, mean and 95% confidence interval over episodes; the lines marked
          "reference" are the independent implementation's. RA: under PGD-10 at that radius.
          FGSM, PGD-40 and transfer (PGD-10 crafted on the weights before adaptation) at 16/255 on
          the first 40 episodes.

        """);
    s.append("## Gates\n\n");
    s.append(
        "Accuracies and dimensions are judged by the mean over the seeds that were run; the\n");
    s.append("single seeds follow in brackets, the first first. The reference had one seed.\n");
    s.append("What more seeds say of a gate that fails: [main-job.md](main-job.md).\n\n");
    line(s, List.of("gate", "must hold", "measured", "reference", ""));
    line(s, List.of("---", "---", "---", "---", "---"));
    for (Verdict v : verdicts) {
      line(s, List.of(v.gate(), v.claim(), v.measured(), v.reference(), v.word()));
    }
    s.append('\n');
    for (Seed seed : seeds) {
      s.append("## Seed ").append(seed.seed()).append("\n\n");
      line(s, headings());
      line(s, headings().stream().map(h -> "---").toList());
      for (Result r : seed.results()) {
        rows(r).forEach(row -> line(s, row));
      }
      s.append('\n');
    }
    return s.toString();
  }

  private static void line(StringBuilder s, List<String> cells) {
    s.append("| ").append(String.join(" | ", cells)).append(" |\n");
  }

  private static List<String> headings() {
    return List.of(
        "method",
        "size",
        "clean",
        "RA 4",
        "RA 8",
        "RA 16",
        "RA 32",
        "FGSM 16",
        "PGD-40 16",
        "transfer 16",
        "ID90",
        "train s");
  }

  private static List<List<String>> rows(Result r) {
    Recipe recipe =
        Recipe.all().stream().filter(k -> k.key().equals(r.recipe())).findFirst().orElseThrow();
    List<String> own = new ArrayList<>();
    own.add(recipe.title());
    own.add("%d x %d its".formatted(recipe.filters(), r.iterations()));
    own.add(percent(new Result.Score(r.clean(), r.cleanHalf())));
    for (int radius : Result.RADII) {
      own.add(percent(r.robust().get(Integer.toString(radius))));
    }
    for (String attack : List.of("fgsm", "pgd-40", "transfer")) {
      own.add(percent(r.other().get(attack)));
    }
    own.add("%d (%s)".formatted(r.id90(), number(r.effectiveRank())));
    own.add(number(r.trainSeconds()));
    if (recipe.reference() == null) {
      return List.of(own);
    }
    Recipe.Reference ref = recipe.reference();
    List<String> theirs = new ArrayList<>(List.of("reference", "", number(ref.clean())));
    ref.robust().forEach(v -> theirs.add(number(v)));
    theirs.addAll(List.of("", "", ""));
    theirs.add(Double.isNaN(ref.id90()) ? "" : "%.0f".formatted(ref.id90()));
    theirs.add("");
    return List.of(own, theirs);
  }

  private static String percent(Result.Score score) {
    return number(100 * score.mean()) + " ± " + number(100 * score.half());
  }

  private static String number(double value) {
    return Double.isNaN(value) ? "" : String.format(Locale.ROOT, "%.1f", value);
  }
}
