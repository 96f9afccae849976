package dev.vauban.tensor.backend.fusion;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Plan;
import java.util.ArrayList;
import java.util.List;

/** A plan as a table that a person can read. */
public final class PlanTable {
  private PlanTable() {}

  /**
   * One line per kernel: number, MFLOP, scratch bytes, source line, kernel; bodies are indented.
   */
  public static String of(long slabBytes, long kernels, List<Plan.Part> parts) {
    StringBuilder s = new StringBuilder();
    s.append("slab %,d bytes, %,d kernels%n".formatted(slabBytes, kernels));
    s.append("    #      MFLOP    scratch  line                    kernel\n");
    List<Integer> numbers = new ArrayList<>(); // of the last part at each depth
    for (Plan.Part part : parts) {
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

  /** The source line that a step is for, given what it writes; may be empty. */
  public static String line(List<Object> writes) {
    return writes.getFirst() instanceof Expr e ? e.where() : "";
  }
}
