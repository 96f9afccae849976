package dev.vauban.tensor.backend.cpu;

import dev.vauban.tensor.Expr;
import java.util.List;

/** A plan as a table that a person can read. */
final class PlanTable {
  private PlanTable() {}

  /**
   * One line per kernel: number, MFLOP, scratch bytes, source line, kernel; bodies are indented.
   */
  static String of(Code code) {
    StringBuilder s = new StringBuilder();
    s.append("slab %,d bytes, %,d kernels%n".formatted(code.slabBytes(), count(code)));
    s.append("    #      MFLOP    scratch  line                    kernel\n");
    append(code, "", s);
    return s.toString();
  }

  private static long count(Code code) {
    long n = 0;
    for (Step step : code.steps()) {
      n +=
          switch (step) {
            case MapStep m -> count(m.body());
            case LoopStep l -> count(l.body());
            default -> 1;
          };
    }
    return n;
  }

  private static void append(Code code, String indent, StringBuilder s) {
    List<Step> steps = code.steps();
    for (int i = 0; i < steps.size(); i++) {
      Step step = steps.get(i);
      s.append(
          "%5d %10.3f %10d  %-22s  %s%s%n"
              .formatted(
                  i, step.flops() / 1e6, step.scratchBytes(), line(step), indent, step.label()));
      if (step instanceof MapStep m) {
        append(m.body(), indent + "| ", s);
      } else if (step instanceof LoopStep l) {
        append(l.body(), indent + "| ", s);
      }
    }
  }

  private static String line(Step step) {
    return step.writes().getFirst() instanceof Expr e ? e.where() : "";
  }
}
