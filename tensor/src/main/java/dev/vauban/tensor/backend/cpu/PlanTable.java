package dev.vauban.tensor.backend.cpu;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Plan;
import java.util.ArrayList;
import java.util.List;

/** A plan as a list, and as a table that a person can read. */
final class PlanTable {
  private PlanTable() {}

  /**
   * One line per kernel: number, MFLOP, scratch bytes, source line, kernel; bodies are indented.
   */
  static String of(Code code) {
    StringBuilder s = new StringBuilder();
    s.append("slab %,d bytes, %,d kernels%n".formatted(code.slabBytes(), count(code)));
    s.append("    #      MFLOP    scratch  line                    kernel\n");
    List<Integer> numbers = new ArrayList<>(); // of the last part at each depth
    for (Plan.Part part : parts(code)) {
      while (numbers.size() > part.depth() + 1) {
        numbers.removeLast();
      }
      if (numbers.size() == part.depth()) {
        numbers.add(-1);
      }
      numbers.set(part.depth(), numbers.getLast() + 1);
      s.append(
          "%5d %10.3f %10d  %-22s  %s%s%n"
              .formatted(
                  numbers.getLast(),
                  part.flops() / 1e6,
                  part.scratchBytes(),
                  part.where(),
                  "| ".repeat(part.depth()),
                  part.label()));
    }
    return s.toString();
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
              depth, step.label(), line(step), step.flops(), step.scratchBytes(), kernels));
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

  private static String line(Step step) {
    return step.writes().getFirst() instanceof Expr e ? e.where() : "";
  }
}
