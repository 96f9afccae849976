package dev.vauban.tensor;

import java.util.HashSet;
import java.util.Set;

/** Checks that a graph is well formed; run after tracing and between passes. */
final class Verify {
  private Verify() {}

  /**
   * Checks that a graph refers to no parameter but its own and that every node's recorded types are
   * those of its operation's shape rule, bodies included.
   *
   * @throws IllegalStateException naming the node that is wrong
   */
  static void closed(Graph g) {
    Set<Expr> params = new HashSet<>(g.params());
    if (params.size() != g.params().size()) {
      throw new IllegalStateException("a parameter occurs twice");
    }
    for (Expr e : g.nodes()) {
      if (e.op() instanceof LeafOp.Parameter p && !params.contains(e)) {
        throw new IllegalStateException(
            "the graph uses '"
                + p.name()
                + "' ("
                + e.where()
                + "), which is a value of another trace; pass it in as an argument");
      }
      if (!e.op().types(e.inputs()).equals(e.types())) {
        throw new IllegalStateException("types of " + e + " do not follow from its inputs");
      }
      if (e.op() instanceof ControlOp.Map m) {
        closed(m.body());
      } else if (e.op() instanceof ControlOp.Loop l) {
        closed(l.body());
      }
    }
  }
}
