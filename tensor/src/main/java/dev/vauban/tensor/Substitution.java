package dev.vauban.tensor;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Rebuilds expressions with some nodes replaced; simplification applies again on the way. */
final class Substitution {
  private Substitution() {}

  /** {@code roots} with every key of {@code replacements} replaced by its value. */
  static List<Expr> apply(List<Expr> roots, Map<Expr, Expr> replacements) {
    Map<Expr, Expr> done = new HashMap<>(replacements);
    for (Expr e : Graph.reachable(roots)) {
      if (!done.containsKey(e)) {
        done.put(e, rebuild(e, done));
      }
    }
    return roots.stream().map(done::get).toList();
  }

  private static Expr rebuild(Expr e, Map<Expr, Expr> done) {
    boolean same = true;
    for (Expr in : e.inputs()) {
      same &= done.get(in) == in;
    }
    if (same) {
      return e;
    }
    List<Expr> inputs = e.inputs().stream().map(done::get).toList();
    return SourceLine.inherit(e, () -> Expr.of(e.op(), inputs));
  }
}
