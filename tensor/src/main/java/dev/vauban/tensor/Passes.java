package dev.vauban.tensor;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * Rewrites of whole graphs before a backend sees them: gradient stops disappear (so that equal
 * values on both sides of one meet again), variances become the operations that compute them, Map
 * nodes over the same elements become one (so that a gradient shares its forward pass), and results
 * that nobody reads are dropped. Bodies first.
 */
public final class Passes {
  /** Parameters of merged bodies are numbered apart from those of traces. */
  private static final long MERGED = 1L << 40;

  private Passes() {}

  /** All passes in order, verified between passes. */
  public static Graph optimise(Graph g) {
    Graph stopped = dropStops(g);
    Verify.closed(stopped);
    Graph expanded = expand(stopped);
    Verify.closed(expanded);
    Graph merged = mergeMaps(expanded);
    Verify.closed(merged);
    Graph pruned = prune(merged);
    Verify.closed(pruned);
    while (!pruned.equals(merged)) { // what one Map no longer reads another need not compute
      merged = pruned;
      pruned = prune(merged);
      Verify.closed(pruned);
    }
    return pruned;
  }

  // Gradient stops.

  private static Graph dropStops(Graph g) {
    return rewriteAll(
        g,
        (e, in) -> e.op() instanceof ControlOp.StopGradient ? in.getFirst() : Expr.of(e.op(), in));
  }

  // Operations that exist for the sake of their gradients.

  private static Graph expand(Graph g) {
    return rewriteAll(
        g,
        (e, in) ->
            e.op() instanceof ReduceOp.Variance v
                ? v.expanded(in.getFirst())
                : Expr.of(e.op(), in));
  }

  /** How a pass rebuilds one node from its rebuilt inputs. */
  @FunctionalInterface
  public interface Rebuild {
    /** What replaces {@code e}; parameters stay. */
    Expr of(Expr e, List<Expr> inputs);
  }

  /**
   * The graph with every node rebuilt, inputs before users, those of bodies of maps and loops too.
   * Nodes keep their source lines.
   */
  public static Graph rewriteAll(Graph g, Rebuild rebuild) {
    return rewrite(
        g,
        (e, in) ->
            switch (e.op()) {
              case ControlOp.Map m ->
                  Expr.of(
                      new ControlOp.Map(rewriteAll(m.body(), rebuild), m.size(), m.mapped()), in);
              case ControlOp.Loop l ->
                  Expr.of(
                      new ControlOp.Loop(rewriteAll(l.body(), rebuild), l.steps(), l.states()), in);
              default -> rebuild.of(e, in);
            });
  }

  private static Graph rewrite(Graph g, Rebuild rebuild) {
    Map<Expr, Expr> done = new HashMap<>();
    g.params().forEach(p -> done.put(p, p));
    for (Expr e : g.nodes()) {
      if (!done.containsKey(e)) {
        List<Expr> in = e.inputs().stream().map(done::get).toList();
        done.put(e, SourceLine.inherit(e, () -> rebuild.of(e, in)));
      }
    }
    return new Graph(g.params(), g.results().stream().map(done::get).toList());
  }

  /**
   * The graph with every Map as operations on all its elements at once, in bodies of loops too: for
   * backends that would rather run few large kernels than many small ones.
   */
  public static Graph batchMaps(Graph g) {
    Graph batched =
        rewrite(
            g,
            (e, in) ->
                switch (e.op()) {
                  case ControlOp.Map m -> Expr.tuple(elements(m, e.types(), in));
                  case ControlOp.Loop l ->
                      Expr.of(new ControlOp.Loop(batchMaps(l.body()), l.steps(), l.states()), in);
                  default -> Expr.of(e.op(), in);
                });
    Verify.closed(batched);
    return batched;
  }

  private static List<Expr> elements(ControlOp.Map m, List<Type> types, List<Expr> in) {
    return m.size() == 0
        ? types.stream().map(t -> Expr.fill(t, 0)).toList()
        : Vmap.expand(batchMaps(m.body()), m.size(), m.mapped(), in);
  }

  // Maps over the same elements.

  private static Graph mergeMaps(Graph g) {
    Graph inner =
        rewrite(
            g,
            (e, in) ->
                switch (e.op()) {
                  case ControlOp.Map m ->
                      Expr.of(new ControlOp.Map(mergeMaps(m.body()), m.size(), m.mapped()), in);
                  case ControlOp.Loop l ->
                      Expr.of(new ControlOp.Loop(mergeMaps(l.body()), l.steps(), l.states()), in);
                  default -> Expr.of(e.op(), in);
                });
    Graph current = inner;
    while (true) {
      Graph next = mergeOnePair(current);
      if (next == current) {
        return current;
      }
      current = next;
    }
  }

  private static Graph mergeOnePair(Graph g) {
    List<Expr> nodes = g.nodes();
    List<Expr> maps = nodes.stream().filter(e -> e.op() instanceof ControlOp.Map).toList();
    for (int i = 0; i < maps.size(); i++) {
      Set<Expr> after = dependents(nodes, maps.get(i));
      for (int j = i + 1; j < maps.size(); j++) {
        boolean same = map(maps.get(i)).size() == map(maps.get(j)).size();
        if (same && !after.contains(maps.get(j))) {
          return merge(g, maps.get(i), maps.get(j));
        }
      }
    }
    return g;
  }

  private static ControlOp.Map map(Expr e) {
    return (ControlOp.Map) e.op();
  }

  private static Set<Expr> dependents(List<Expr> nodes, Expr of) {
    Set<Expr> set = new HashSet<>();
    set.add(of);
    for (Expr e : nodes) {
      if (e.inputs().stream().anyMatch(set::contains)) {
        set.add(e);
      }
    }
    return set;
  }

  private static Graph merge(Graph g, Expr a, Expr b) {
    // Inputs of both, each once for each way it is used (mapped or shared); mapped ones first.
    Map<Expr, Expr> mapped = new LinkedHashMap<>();
    Map<Expr, Expr> shared = new LinkedHashMap<>();
    long[] id = {0};
    List<Expr> results = new ArrayList<>(renamed(a, mapped, shared, id));
    int first = results.size();
    results.addAll(renamed(b, mapped, shared, id));
    List<Expr> params = new ArrayList<>(mapped.values());
    params.addAll(shared.values());
    List<Expr> inputs = new ArrayList<>(mapped.keySet());
    inputs.addAll(shared.keySet());
    Graph body = new Graph(params, results);
    Expr both = Expr.of(new ControlOp.Map(body, map(a).size(), mapped.size()), inputs);
    Map<Expr, Expr> replace = new HashMap<>();
    for (Expr e : g.nodes()) {
      if (e.op() instanceof ControlOp.Project p && (e.input(0) == a || e.input(0) == b)) {
        int index = e.input(0) == a ? p.index() : first + p.index();
        replace.put(e, Expr.of(new ControlOp.Project(index), List.of(both)));
      }
    }
    return new Graph(g.params(), Substitution.apply(g.results(), replace));
  }

  /** A Map's results in terms of one parameter per distinct input, which are added as needed. */
  private static List<Expr> renamed(
      Expr e, Map<Expr, Expr> mapped, Map<Expr, Expr> shared, long[] id) {
    Map<Expr, Expr> rename = new HashMap<>();
    for (int i = 0; i < e.inputs().size(); i++) {
      Expr p = map(e).body().params().get(i);
      String name = ((LeafOp.Parameter) p.op()).name();
      Expr known =
          (i < map(e).mapped() ? mapped : shared)
              .computeIfAbsent(e.input(i), x -> Expr.parameter(MERGED + id[0]++, name, p.type()));
      rename.put(p, known);
    }
    return Substitution.apply(map(e).body().results(), rename);
  }

  // Results that nobody reads, parameters that nobody needs.

  private static Graph prune(Graph g) {
    Map<Expr, Set<Integer>> read = new HashMap<>();
    for (Expr e : g.nodes()) {
      if (e.op() instanceof ControlOp.Project p) {
        read.computeIfAbsent(e.input(0), k -> new HashSet<>()).add(p.index());
      }
    }
    Map<Expr, List<Integer>> kept = new HashMap<>();
    return rewrite(
        g,
        (e, in) ->
            switch (e.op()) {
              case ControlOp.Map m -> {
                kept.put(e, kept(m.body(), read.get(e)));
                yield pruneMap(m, kept.get(e), in);
              }
              case ControlOp.Loop l ->
                  Expr.of(new ControlOp.Loop(prune(l.body()), l.steps(), l.states()), in);
              case ControlOp.Project p when kept.containsKey(e.input(0)) -> {
                int index = position(map(e.input(0)).body(), kept.get(e.input(0)), p.index());
                yield Expr.of(new ControlOp.Project(index), in);
              }
              default -> Expr.of(e.op(), in);
            });
  }

  /** The results to keep: those that are read, equal ones once. */
  private static List<Integer> kept(Graph body, Set<Integer> read) {
    Set<Expr> seen = new HashSet<>();
    return IntStream.range(0, body.results().size())
        .filter(i -> read.contains(i) && seen.add(body.results().get(i)))
        .boxed()
        .toList();
  }

  private static int position(Graph body, List<Integer> kept, int index) {
    for (int i = 0; i < kept.size(); i++) {
      if (body.results().get(kept.get(i)) == body.results().get(index)) {
        return i;
      }
    }
    throw new IllegalStateException("result " + index + " was dropped but is read");
  }

  private static Expr pruneMap(ControlOp.Map m, List<Integer> results, List<Expr> in) {
    Graph body =
        prune(new Graph(m.body().params(), results.stream().map(m.body().results()::get).toList()));
    Set<Expr> used = new HashSet<>(body.nodes());
    List<Expr> params = new ArrayList<>();
    List<Expr> inputs = new ArrayList<>();
    int mapped = 0;
    for (int i = 0; i < in.size(); i++) {
      if (used.contains(body.params().get(i))) {
        params.add(body.params().get(i));
        inputs.add(in.get(i));
        mapped += i < m.mapped() ? 1 : 0;
      }
    }
    return Expr.of(new ControlOp.Map(new Graph(params, body.results()), m.size(), mapped), inputs);
  }
}
