package dev.vauban.bench.steps;

import dev.vauban.bench.peers.Timing;
import dev.vauban.bench.steps.StepCase.Tasks;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * How the cost of a step grows: with its tasks, with the steps of adaptation, with those of an
 * attack. All points of a curve are compiled first and then measured in turn, so that what else the
 * machine does falls on all; a straight line is laid through their medians.
 *
 * @param bench how to warm up and how often to measure
 */
public record Curves(StepBench bench) {
  private static final int[] TASKS = {2, 4, 8, 12, 16};
  private static final int[] INNER_STEPS = {1, 2, 4, 6, 8, 10};
  private static final int[] ATTACK_STEPS = {1, 5, 10, 15, 20};

  /**
   * A curve.
   *
   * @param name what grows
   * @param title of the step
   * @param threads workers
   * @param points from the smallest to the largest
   * @param msEach milliseconds for one more, by the line
   * @param msFixed milliseconds for none, by the line
   * @param worst largest distance of a point from the line, as a part of the point
   */
  public record Curve(
      String name,
      String title,
      int threads,
      List<Point> points,
      double msEach,
      double msFixed,
      double worst) {}

  /**
   * A point of a curve.
   *
   * @param n how many
   * @param ms median milliseconds of a step
   * @param msMin the least
   * @param msMax the most
   * @param gflop 10^9 floating-point operations of a step
   */
  public record Point(int n, double ms, double msMin, double msMax, double gflop) {}

  /** Measures all curves at each number of threads. */
  public List<Curve> measure(List<Integer> threads) {
    StepCase maml = StepCase.of("maml-28");
    StepCase robust = maml.by("rmaml-out");
    List<Curve> curves = new ArrayList<>();
    for (int t : threads) {
      Map<Integer, StepCase> tasks = new LinkedHashMap<>();
      for (int n : TASKS) {
        Tasks b = maml.batch();
        tasks.put(n, maml.with(new Tasks(n, b.ways(), b.shots(), b.queries())));
      }
      curves.add(curve("tasks", maml.title(), t, tasks));
      Map<Integer, StepCase> inner = new LinkedHashMap<>();
      IntStream.of(INNER_STEPS).forEach(n -> inner.put(n, maml.adapting(n)));
      curves.add(curve("inner steps", maml.title(), t, inner));
      Map<Integer, StepCase> attacks = new LinkedHashMap<>();
      IntStream.of(ATTACK_STEPS).forEach(n -> attacks.put(n, robust.against("pgd-" + n)));
      curves.add(curve("attack steps", "R-MAML, PGD on the queries, 28x28x1", t, attacks));
    }
    return curves;
  }

  private Curve curve(String name, String title, int threads, Map<Integer, StepCase> cases) {
    List<BoundStep> bound = new ArrayList<>();
    try {
      cases.values().forEach(c -> bound.add(c.bind(threads)));
      bound.forEach(bench::warm);
      List<List<Timing>> timings =
          bound.stream().map(b -> (List<Timing>) new ArrayList<Timing>()).toList();
      for (int round = 0; round < bench.rounds(); round++) {
        for (int i = 0; i < bound.size(); i++) {
          bench.interrupt().check("nothing was written");
          timings.get(i).add(Timing.of(bound.get(i)::run));
        }
      }
      List<Point> points = new ArrayList<>();
      for (int n : cases.keySet()) {
        Spread s = Spread.of(timings.get(points.size()), Timing::seconds);
        double gflop = bound.get(points.size()).flops() / 1e9;
        points.add(new Point(n, 1e3 * s.median(), 1e3 * s.least(), 1e3 * s.most(), gflop));
      }
      return line(name, title, threads, points);
    } finally {
      bound.forEach(BoundStep::close);
    }
  }

  /** The line with the least sum of squared relative distances. */
  static Curve line(String name, String title, int threads, List<Point> points) {
    double w = 0;
    double wx = 0;
    double wxx = 0;
    double wy = 0;
    double wxy = 0;
    for (Point p : points) {
      double weight = 1 / (p.ms() * p.ms());
      w += weight;
      wx += weight * p.n();
      wxx += weight * p.n() * p.n();
      wy += weight * p.ms();
      wxy += weight * p.n() * p.ms();
    }
    double each = (w * wxy - wx * wy) / (w * wxx - wx * wx);
    double fixed = (wy - each * wx) / w;
    double worst =
        points.stream()
            .mapToDouble(p -> Math.abs(p.ms() - fixed - each * p.n()) / p.ms())
            .max()
            .orElse(0);
    return new Curve(name, title, threads, List.copyOf(points), each, fixed, worst);
  }
}
