package dev.vauban.tensor;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Reverse-mode differentiation: one walk back over the graph with the operations' rules. */
final class Reverse {
  private Reverse() {}

  /**
   * The cotangents of {@code at} for given cotangents of {@code results}.
   *
   * @param results nodes of one result each
   * @param cotangents one per result, null for a zero
   * @param at nodes to differentiate at
   * @return one per element of {@code at}, null for a zero
   */
  static Expr[] cotangents(Expr[] results, Expr[] cotangents, Expr[] at) {
    List<Expr> order = Graph.reachable(List.of(results));
    Set<Expr> active = active(order, at);
    Map<Expr, Expr[]> ct = new HashMap<>();
    for (int i = 0; i < results.length; i++) {
      if (cotangents[i] != null && active.contains(results[i])) {
        add(ct, results[i], 0, cotangents[i]);
      }
    }
    for (int k = order.size() - 1; k >= 0; k--) {
      Expr node = order.get(k);
      Expr[] g = ct.get(node);
      if (g == null || node.op() instanceof LeafOp) {
        continue;
      }
      if (node.op() instanceof ControlOp.Project p) {
        add(ct, node.input(0), p.index(), g[0]);
        continue;
      }
      Expr[] in = SourceLine.inherit(node, () -> node.op().gradient(node, g));
      for (int i = 0; i < in.length; i++) {
        Expr x = node.input(i);
        if (in[i] != null && active.contains(x)) {
          add(ct, x, 0, in[i]);
        }
      }
    }
    Expr[] out = new Expr[at.length];
    for (int i = 0; i < at.length; i++) {
      Expr[] g = ct.get(at[i]);
      out[i] = g == null ? null : g[0];
    }
    return out;
  }

  /** The floating-point nodes through which a gradient can reach {@code at}. */
  private static Set<Expr> active(List<Expr> order, Expr[] at) {
    Set<Expr> active = new HashSet<>(List.of(at));
    for (Expr e : order) {
      if (e.op() instanceof ControlOp.StopGradient) {
        continue;
      }
      boolean real = e.types().stream().anyMatch(t -> t.dtype().isFloat());
      if (real && e.inputs().stream().anyMatch(active::contains)) {
        active.add(e);
      }
    }
    return active;
  }

  private static void add(Map<Expr, Expr[]> ct, Expr node, int result, Expr g) {
    Expr[] sums = ct.computeIfAbsent(node, n -> new Expr[n.types().size()]);
    sums[result] = sums[result] == null ? g : sums[result].add(g);
  }
}
