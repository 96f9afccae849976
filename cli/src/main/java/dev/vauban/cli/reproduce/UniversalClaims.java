package dev.vauban.cli.reproduce;

import dev.vauban.cli.job.UniversalEvaluation;
import dev.vauban.cli.job.UniversalEvaluation.Kind;
import dev.vauban.cli.job.UniversalEvaluation.Point;
import dev.vauban.cli.job.UniversalEvaluation.Row;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** What the figures say of a learned fine-tuner's claims, each on every source it is about. */
record UniversalClaims(UniversalTable table, UniversalReproduction.Results results) {
  private static final int FEW = 5;
  private static final int SOME = 20;
  private static final int END = Integer.MAX_VALUE;

  /** Adds a verdict for each claim that there are figures for. */
  Map<String, String> verdicts(Map<String, String> all) {
    for (int s = 0; s < 3; s++) {
      UniversalEvaluation rivals = results.test(UniversalTable.LFT_BOTH, s);
      if (rivals == null) {
        continue;
      }
      String on = " (" + table.name(s) + ")";
      Point few = rivals.rows().getFirst().at(FEW);
      Point some = rivals.rows().getFirst().at(SOME);
      best(rivals, Kind.CONTROL, END)
          .ifPresent(c ->
              all.put(
                  "L0: at 20 steps at least 15 points above the best pattern that looks at nothing"
                      + on,
                  verdict(some, c, 0.15)));
      row(rivals, "sign-SGD (PGD)")
          .ifPresent(r ->
              all.put(
                  "L1: at 5 steps at least 10 points above PGD's sign steps at the end" + on,
                  verdict(few, of(r, END), 0.10)));
      across(all, s, rivals);
      norm(all, s, rivals);
    }
    estimated(all);
    againstL2o(all);
    return all;
  }

  /** L2: on a source that the tuner was not trained on, not 2 points below any rival. */
  private void across(Map<String, String> all, int s, UniversalEvaluation rivals) {
    String line =
        switch (s) {
          case 0 -> UniversalTable.LFT_B;
          case 1 -> UniversalTable.LFT_A;
          default -> UniversalTable.LFT_BOTH;
        };
    UniversalEvaluation learned = results.test(line, s);
    if (learned == null) {
      return;
    }
    for (int steps : new int[] {FEW, SOME}) {
      best(rivals, Kind.DESIGNED, steps)
          .ifPresent(c ->
              all.put(
                  "L2: %s tested on %s, at %d steps not 2 points below the best designed optimiser"
                      .formatted(line, table.name(s), steps),
                  verdict(learned.rows().getFirst().at(steps), c, -0.02)));
    }
  }

  /** L3: at most 20 steps, nobody designed fools more at an equal or smaller norm. */
  private void norm(Map<String, String> all, int s, UniversalEvaluation rivals) {
    Point learned = rivals.rows().getFirst().at(SOME);
    Optional<Named> better =
        rivals.rows().stream()
            .filter(r -> r.kind() == Kind.DESIGNED)
            .flatMap(r -> r.points().stream().map(p -> new Named(r.tuner(), p)))
            .filter(n -> n.point.steps() <= SOME)
            .filter(n -> n.point.meanAbsolute() <= learned.meanAbsolute() + 1e-6)
            .filter(n -> n.point.unseen() > learned.unseen())
            .max(Comparator.comparingDouble(n -> n.point.unseen()));
    String own =
        String.format(Locale.ROOT, "%.1f @ %.3f", 100 * learned.unseen(), learned.meanAbsolute());
    all.put(
        "L3: within 20 steps no designed optimiser fools more at the same or a smaller norm ("
            + table.name(s)
            + ")",
        better
            .map(b ->
                String.format(
                    Locale.ROOT,
                    "does not hold: %s %.1f @ %.3f after %d steps, learned %s%s",
                    b.name,
                    100 * b.point.unseen(),
                    b.point.meanAbsolute(),
                    b.point.steps(),
                    own,
                    b.point.unseen() - learned.unseen() < noise(b.point, learned)
                        ? ", within the interval"
                        : ""))
            .orElse("holds (learned " + own + ")"));
  }

  /** L4: derivative-free, at equal queries. */
  private void estimated(Map<String, String> all) {
    UniversalEvaluation e = results.test(UniversalTable.LFT_ZO, 0);
    if (e == null) {
      return;
    }
    Point learned = e.rows().getFirst().at(END);
    best(e, Kind.CONTROL, END)
        .ifPresent(c ->
            all.put(
                "L4: with estimated gradients at least 15 points above the best pattern that looks"
                    + " at nothing",
                verdict(learned, c, 0.15)));
    row(e, "ZO-SGD")
        .ifPresent(r ->
            all.put(
                "L4: with estimated gradients not below ZO-SGD at equal queries",
                verdict(learned, of(r, END), 0)));
    best(e, Kind.DESIGNED, END)
        .ifPresent(c ->
            all.put(
                "L4: with estimated gradients not below the best zeroth-order optimiser",
                verdict(learned, c, 0)));
  }

  /** L5 is a report: no order is claimed. */
  private void againstL2o(Map<String, String> all) {
    List<String> differences = new ArrayList<>();
    for (int s = 0; s < 3; s++) {
      UniversalEvaluation lft = results.test(UniversalTable.LFT_BOTH, s);
      UniversalEvaluation l2o = results.test(UniversalTable.L2O_BOTH, s);
      if (lft != null && l2o != null) {
        Point a = lft.rows().getFirst().at(SOME);
        Point b = l2o.rows().getFirst().at(SOME);
        differences.add(
            String.format(
                Locale.ROOT,
                "%s %+.1f ± %.1f points",
                table.name(s),
                100 * (a.unseen() - b.unseen()),
                100 * noise(a, b)));
      }
    }
    if (!differences.isEmpty()) {
      all.put(
          "L5: LFT against L2O at 20 steps (reported, nothing is claimed)",
          String.join(", ", differences));
    }
  }

  private record Named(String name, Point point) {}

  private static Named of(Row row, int steps) {
    return new Named(row.tuner(), row.at(steps));
  }

  private static Optional<Row> row(UniversalEvaluation e, String tuner) {
    return e.rows().stream().filter(r -> r.tuner().equals(tuner)).findFirst();
  }

  private static Optional<Named> best(UniversalEvaluation e, Kind kind, int steps) {
    Stream<Named> some = e.rows().stream().filter(r -> r.kind() == kind).map(r -> of(r, steps));
    return some.max(Comparator.comparingDouble(n -> n.point.unseen()));
  }

  private static String verdict(Point learned, Named rival, double by) {
    double excess = learned.unseen() - rival.point.unseen() - by;
    String figures =
        String.format(
            Locale.ROOT,
            "%.1f @ %.3f against %s %.1f @ %.3f",
            100 * learned.unseen(),
            learned.meanAbsolute(),
            rival.name,
            100 * rival.point.unseen(),
            rival.point.meanAbsolute());
    String holds = excess >= 0 ? "holds" : "does not hold";
    return Math.abs(excess) < noise(learned, rival.point)
        ? holds + ", within the interval (" + figures + ")"
        : holds + " (" + figures + ")";
  }

  /** Of a difference; the tasks are the same, so this is more than it would be of pairs. */
  private static double noise(Point a, Point b) {
    return Math.hypot(a.unseenCi(), b.unseenCi());
  }
}
