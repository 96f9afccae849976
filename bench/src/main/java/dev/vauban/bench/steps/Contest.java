package dev.vauban.bench.steps;

import dev.vauban.bench.peers.Framework;
import dev.vauban.bench.peers.Gradients;
import dev.vauban.bench.peers.PeerException;
import dev.vauban.bench.peers.PeerStep;
import dev.vauban.tensor.Precision;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Other frameworks against one {@link BoundCase}: of each framework the two fastest ways that
 * compute the same in trials of the case's {@link BenchCase#trial}, or the fastest if a trial takes
 * seconds. Two, because a few short trials on a busy machine may mistake the best.
 *
 * <p>That a way is the same program is checked on a small case, where it must agree to {@link
 * #SAME}. On the timed data it must agree as well, or else as well as our own result agrees with
 * itself when every pixel moves by {@link #NUDGE}: ReLU, max-pooling and the sign in an attack
 * choose between branches, a few of those millions of choices hang on the last bit, and a single
 * one that falls otherwise changes a task's gradient by up to a hundredth, an attack's by more. In
 * bf16 far more of them hang on rounding: there the measure, in both checks, is how far our own
 * gradient with all large products in bf16 is from that in F32.
 */
final class Contest implements AutoCloseable {
  /** Largest relative error of the whole result. */
  static final double SAME = 1e-3;

  private static final double NUDGE = 1e-6; // as rounding does after some layers
  private static final double ROOM = 3; // two such differences are of one size, not equal
  private static final String BF16 = "vauban.bf16"; // see docs/adr/0005-bf16.md
  private static final int TRIALS = 3;
  private static final int KEPT = 2;
  private static final double LONG = 2; // seconds: one trial of such a program tells the best
  private static final double HOPELESS = 2; // times the best way's time: no more trials

  private final Consumer<String> notice;
  private final List<Contestant> contestants = new ArrayList<>();

  /**
   * One of a framework's best ways.
   *
   * @param way ready to run
   * @param checkError relative error of the result on the small case
   * @param gradientError the same on the timed data
   */
  record Contestant(PeerStep way, double checkError, double gradientError) {}

  /**
   * Checks and chooses.
   *
   * @param bound our step, which has run at least once
   * @param notice told of every way that is left out, and why
   */
  Contest(List<Framework> frameworks, BoundCase bound, int threads, Consumer<String> notice) {
    this.notice = notice;
    if (frameworks.isEmpty()) {
      return;
    }
    BenchCase trial = bound.benchCase().trial();
    if (trial.equals(bound.benchCase())) {
      choose(frameworks, bound, threads);
      return;
    }
    try (BoundCase tried = trial.bind(threads)) {
      tried.run();
      choose(frameworks, tried, threads);
    }
    reopen(frameworks, bound, threads);
  }

  /** Fills {@link #contestants} with ways to run {@code bound}, which has run. */
  private void choose(List<Framework> frameworks, BoundCase bound, int threads) {
    Map<String, float[]> result = bound.result();
    double doubt = Gradients.error(bound.resultNear(NUDGE), result);
    double limit = Math.max(SAME, ROOM * Math.max(doubt, rounding(bound)));
    try (BoundCase small = bound.benchCase().small().bind(threads)) {
      small.run();
      double same = Math.max(SAME, ROOM * rounding(small));
      for (Framework framework : frameworks) {
        try {
          Map<String, Double> errors =
              check(framework.ways(small.numbers(), threads), small.result(), same);
          choose(framework.ways(bound.numbers(), threads), errors, result, limit);
        } catch (PeerException e) {
          notice.accept("left out: " + e.getMessage());
        }
      }
    }
  }

  /** Replaces the contestants, who run a trial, by the same ways to run the whole program. */
  private void reopen(List<Framework> frameworks, BoundCase bound, int threads) {
    List<Contestant> tried = List.copyOf(contestants);
    close();
    contestants.clear();
    for (Framework framework : frameworks) {
      for (PeerStep way : framework.ways(bound.numbers(), threads)) {
        Optional<Contestant> chosen =
            tried.stream().filter(c -> c.way().name().equals(way.name())).findFirst();
        chosen.ifPresentOrElse(
            c -> contestants.add(new Contestant(way, c.checkError(), c.gradientError())),
            way::close);
      }
    }
  }

  /** How far bf16 moves our own result where all large products are rounded; 0 in F32. */
  private static double rounding(BoundCase low) {
    BenchCase program = low.benchCase();
    if (program.precision() == Precision.F32) {
      return 0;
    }
    try (BoundCase exact = program.in(Precision.F32).bind(1);
        BoundCase rounded = rounded(program)) {
      exact.run();
      rounded.run();
      return Gradients.error(rounded.result(), exact.result());
    }
  }

  /** Peers round all large products; we, only those that this processor gains by. */
  private static BoundCase rounded(BenchCase program) {
    String before = System.getProperty(BF16);
    System.setProperty(BF16, "widened");
    try {
      return program.bind(1);
    } finally {
      if (before == null) {
        System.clearProperty(BF16);
      } else {
        System.setProperty(BF16, before);
      }
    }
  }

  /** Those that are still in. */
  List<Contestant> contestants() {
    return contestants;
  }

  /** The ways that are right on the small case, by name, with their errors. */
  private Map<String, Double> check(
      List<PeerStep> ways, Map<String, float[]> expected, double same) {
    Map<String, Double> errors = new HashMap<>();
    for (PeerStep way : ways) {
      attempt(
          way,
          () -> {
            double error = Gradients.error(way.result(), expected);
            if (accepted(way, error, same)) {
              errors.put(way.name(), error);
            }
          });
    }
    ways.forEach(PeerStep::close);
    return errors;
  }

  /** Adds the fastest of the ways that are right on the timed data too; closes the others. */
  private void choose(
      List<PeerStep> ways,
      Map<String, Double> errors,
      Map<String, float[]> expected,
      double limit) {
    Map<PeerStep, Double> seconds = new LinkedHashMap<>();
    List<PeerStep> hopeful =
        new ArrayList<>(ways.stream().filter(w -> errors.containsKey(w.name())).toList());
    double least = 0;
    for (int trial = 0; trial < TRIALS && least < LONG; trial++) {
      hopeful.removeIf(
          way -> !attempt(way, () -> seconds.merge(way, way.run().seconds(), Double::sum)));
      seconds.keySet().retainAll(hopeful);
      double best = seconds.values().stream().mapToDouble(t -> t).min().orElse(0);
      hopeful.removeIf(way -> seconds.get(way) > HOPELESS * best);
      least = best / (trial + 1);
      seconds.keySet().retainAll(hopeful);
    }
    List<PeerStep> chosen = new ArrayList<>();
    Iterator<PeerStep> fastestFirst = sorted(seconds).iterator();
    int kept = least < LONG ? KEPT : 1;
    while (chosen.size() < kept && fastestFirst.hasNext()) {
      PeerStep way = fastestFirst.next();
      attempt(
          way,
          () -> {
            double error = Gradients.error(way.result(), expected);
            if (accepted(way, error, limit)) {
              chosen.add(way);
              contestants.add(new Contestant(way, errors.get(way.name()), error));
            }
          });
    }
    ways.stream().filter(way -> !chosen.contains(way)).forEach(PeerStep::close);
  }

  private static List<PeerStep> sorted(Map<PeerStep, Double> seconds) {
    return seconds.keySet().stream().sorted(Comparator.comparing(seconds::get)).toList();
  }

  /** Whether the work succeeded; if not, why has been said. */
  private boolean attempt(PeerStep way, Runnable work) {
    try {
      work.run();
      return true;
    } catch (PeerException e) {
      notice.accept("left out: " + way.name() + ": " + e.getMessage());
      return false;
    }
  }

  private boolean accepted(PeerStep way, double error, double limit) {
    boolean same = error <= limit;
    if (!same) {
      notice.accept(refusal(way.name(), error, limit));
    }
    return same;
  }

  /** The sentence that says why a way is not timed. */
  static String refusal(String way, double error, double limit) {
    return String.format(
        Locale.ROOT,
        "left out: %s: its result differs from ours by %.1e of its length, where at most"
            + " %.0e can be rounding",
        way,
        error,
        limit);
  }

  @Override
  public void close() {
    contestants.forEach(c -> c.way().close());
  }
}
