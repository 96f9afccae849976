package dev.vauban.tensor;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * A closed program: results as expressions of parameters.
 *
 * @param params the parameters, distinct
 * @param results the results; they depend on no other parameter
 */
public record Graph(List<Expr> params, List<Expr> results) {
  /** Copies the lists. */
  public Graph {
    params = List.copyOf(params);
    results = List.copyOf(results);
  }

  /**
   * Every node that the results need, inputs before users, in an order that depends on structure
   * alone.
   */
  public List<Expr> nodes() {
    return reachable(results);
  }

  /** The nodes that {@code roots} need: depth first, inputs in order, each node once. */
  static List<Expr> reachable(List<Expr> roots) {
    List<Expr> order = new ArrayList<>();
    Set<Expr> seen = new HashSet<>();
    Deque<Expr> stack = new ArrayDeque<>();
    for (Expr root : roots) {
      stack.push(root);
      while (!stack.isEmpty()) {
        Expr e = stack.peek();
        if (seen.contains(e)) {
          stack.pop();
          continue;
        }
        boolean ready = true;
        for (int i = e.inputs().size() - 1; i >= 0; i--) {
          if (!seen.contains(e.input(i))) {
            stack.push(e.input(i));
            ready = false;
          }
        }
        if (ready) {
          stack.pop();
          seen.add(e);
          order.add(e);
        }
      }
    }
    return order;
  }

  static long parameterId(Expr e) {
    return ((LeafOp.Parameter) e.op()).id();
  }

  /** The readable form: one line per node. */
  @Override
  public String toString() {
    return Print.graph(this);
  }
}
