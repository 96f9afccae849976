package dev.vauban.tensor.backend.cpu;

import dev.vauban.tensor.Plan;
import dev.vauban.tensor.backend.fusion.PlanTable;
import java.util.ArrayList;
import java.util.List;

/** A plan as a list, and as a table that a person can read. */
final class Parts {
  private Parts() {}

  /**
   * One line per kernel: number, MFLOP, scratch bytes, source line, kernel; bodies are indented.
   */
  static String of(Code code) {
    return PlanTable.of(code.slabBytes(), count(code), parts(code));
  }

  /** Every step, those of a body after its map or loop. */
  static List<Plan.Part> parts(Code code) {
    List<Plan.Part> parts = new ArrayList<>();
    add(code, 0, parts);
    return List.copyOf(parts);
  }

  private static void add(Code code, int depth, List<Plan.Part> parts) {
    for (Step step : code.steps()) {
      Code body = body(step);
      long kernels = body == null ? 1 : count(body);
      parts.add(
          new Plan.Part(
              depth,
              step.label(),
              PlanTable.line(step.writes()),
              step.flops(),
              step.scratchBytes(),
              kernels));
      if (body != null) {
        add(body, depth + 1, parts);
      }
    }
  }

  private static long count(Code code) {
    long n = 0;
    for (Step step : code.steps()) {
      Code body = body(step);
      n += body == null ? 1 : count(body);
    }
    return n;
  }

  /** What a map or loop repeats; null for a kernel. */
  private static Code body(Step step) {
    return switch (step) {
      case MapStep m -> m.body();
      case LoopStep l -> l.body();
      default -> null;
    };
  }
}
