package dev.vauban.tensor.backend.cuda;

import dev.vauban.tensor.LeafOp;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/** Constants in memory. */
final class Constants {
  private Constants() {}

  /** Writes the elements of a constant. */
  static void write(LeafOp.Data d, MemorySegment to) {
    try (Scope scope = Scope.open()) {
      Tensor t = Tensor.over(scope, d.type(), to);
      for (int i = 0; i < d.values().size(); i++) {
        t.set(i, d.values().get(i));
      }
    }
  }
}
