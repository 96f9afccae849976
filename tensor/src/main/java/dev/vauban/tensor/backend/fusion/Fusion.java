package dev.vauban.tensor.backend.fusion;

import dev.vauban.tensor.ControlOp;
import dev.vauban.tensor.DType;
import dev.vauban.tensor.ElementOp;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Graph;
import dev.vauban.tensor.LeafOp;
import dev.vauban.tensor.PoolOp;
import dev.vauban.tensor.ReduceOp;
import dev.vauban.tensor.ScalarFn;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.ShapeOp;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.ToIntFunction;

/**
 * Divides a graph into units: fused loop nests of pointwise operations and reductions over one
 * iteration space, and single operations with kernels of their own.
 *
 * <p>A reduction ends a nest: its result is complete only after the last point. Reshapes are other
 * names of the same memory. Three kinds of nodes belong to no unit and are repeated by each nest
 * that reads them: broadcasts (strides of 0), constants, and cheap chains over one large array (a
 * normalisation, a comparison) or, for few readers, over two or three (a gradient masked by the
 * sign of an activation): reading those arrays again, which their readers mostly do anyway, costs
 * less than writing the result and reading it back. Slices are views of the array they are cut
 * from.
 */
public final class Fusion {
  /**
   * What one nest may hold.
   *
   * @param nodes instructions; more would exceed registers and what compilers take at once
   * @param arrays that it reads or writes
   * @param cost scalar code, as {@code of} counts it
   * @param of what a function costs
   */
  public record Limits(int nodes, int arrays, int cost, ToIntFunction<ScalarFn> of) {}

  /** Large arrays that an inlined chain reads, and readers of a chain that reads more than one. */
  private static final int MAX_LARGE = 3;

  private static final int MAX_READERS = 6;

  /** Operations of an inlined chain. */
  private static final int MAX_INLINE = 8;

  /** A value that a node reads: in the same space, or through a broadcast. */
  private record Dependency(Expr value, boolean sameSpace) {}

  /** A part of the program that runs as one kernel. */
  public static final class Unit {
    final int id;
    private final Shape space; // null for a single operation
    private final List<Expr> nodes = new ArrayList<>();
    final BitSet ancestors = new BitSet();
    List<Integer> reducedAxes;
    boolean merged;

    Unit(int id, Shape space) {
      this.id = id;
      this.space = space;
    }

    /** True for a nest, false for a single operation. */
    public boolean isNest() {
      return space != null;
    }

    /** The iteration space of a nest. */
    public Shape space() {
      return space;
    }

    /** The operation of a unit that is no nest. */
    public Expr operation() {
      return nodes.getFirst();
    }
  }

  private final Limits limits;
  private final List<Expr> nodes;
  private final Map<Expr, List<Expr>> consumers = new HashMap<>();
  private final Set<Expr> results;
  private final List<Unit> units = new ArrayList<>();
  private final Map<Expr, Unit> unitOf = new HashMap<>();
  private final Map<Expr, Integer> inlined = new HashMap<>(); // node to operations in its chain

  /** Of a graph; {@link #units} divides it. */
  public Fusion(Graph graph, Limits limits) {
    this.limits = limits;
    this.nodes = graph.nodes();
    this.results = new HashSet<>(graph.results());
    for (Expr e : nodes) {
      for (Expr in : e.inputs()) {
        consumers.computeIfAbsent(in, k -> new ArrayList<>()).add(e);
      }
    }
    for (Expr e : nodes) {
      if (isPointwise(e) && !isSink(e) && !isEmpty(e)) {
        findInline(e);
      }
    }
  }

  private void findInline(Expr e) {
    if (e.op() instanceof ElementOp.Pointwise p && !isCheap(p.fn())) {
      return;
    }
    if (e.inputs().stream().anyMatch(Fusion::isView)) {
      return; // reads more than it computes
    }
    int operations = 1;
    for (Expr in : e.inputs()) {
      operations += inlined.getOrDefault(in, 0);
    }
    long large =
        dependencies(e).stream()
            .filter(Dependency::sameSpace)
            .map(d -> memory(d.value()))
            .distinct()
            .count();
    int readers = consumers.getOrDefault(e, List.of()).size();
    boolean worthwhile = large <= 1 || (large <= MAX_LARGE && readers <= MAX_READERS);
    if (worthwhile && operations <= MAX_INLINE) {
      inlined.put(e, operations);
    }
  }

  /** True if computing it again costs less than reading it from memory. */
  public static boolean isCheap(ScalarFn fn) {
    return switch (fn) {
      case EXP,
          EXPM1,
          LOG,
          LOG1P,
          SIN,
          COS,
          TANH,
          SIGMOID,
          ERF,
          SQRT,
          RSQRT,
          RECIPROCAL,
          POW,
          DIV ->
          false;
      default -> true;
    };
  }

  /** What a node reads once broadcasts, constants and inlined chains are looked through. */
  private List<Dependency> dependencies(Expr e) {
    List<Dependency> out = new ArrayList<>();
    for (Expr in : e.inputs()) {
      if (in.op() instanceof ShapeOp.Broadcast || isView(in)) {
        out.add(new Dependency(in.input(0), false));
      } else if (inlined.containsKey(in)) {
        out.addAll(dependencies(in));
      } else if (!isVirtual(in)) {
        out.add(new Dependency(in, true));
      }
    }
    return out;
  }

  /** True if nests compute this node anew wherever they read it. */
  public boolean isInlined(Expr e) {
    return inlined.containsKey(e);
  }

  /** The units in an order in which they can run. */
  public List<Unit> units() {
    for (Expr e : nodes) {
      place(e);
    }
    mergeSiblings();
    return order();
  }

  /** The unit that computes the memory behind {@code e}; null for parameters and constants. */
  public Unit unitOf(Expr e) {
    return unitOf.get(memory(e));
  }

  /** The node whose memory holds {@code e}: reshapes are names of their input. */
  public static Expr memory(Expr e) {
    return e.op() instanceof ShapeOp.Reshape ? memory(e.input(0)) : e;
  }

  /** Computed point by point inside a nest. */
  static boolean isPointwise(Expr e) {
    return e.op() instanceof ElementOp;
  }

  /** Ends a nest: readable only from memory, where it is rounded. */
  public static boolean isSink(Expr e) {
    return e.op() instanceof ReduceOp.Reduce
        || (e.op() instanceof ElementOp.Cast c && (c.to() == DType.U8 || c.to() == DType.BF16));
  }

  /** Part of an array that vectors can walk. */
  public static boolean isView(Expr e) {
    return e.op() instanceof ShapeOp.Slice s
        && !s.strides().isEmpty()
        && s.strides().getLast() == 1;
  }

  /** Needs no memory where a nest reads it. */
  boolean isVirtual(Expr e) {
    return inlined.containsKey(e)
        || isView(e)
        || e.op() instanceof ShapeOp.Broadcast
        || e.op() instanceof LeafOp.Fill
        || e.op() instanceof LeafOp.Iota;
  }

  private static boolean isEmpty(Expr e) {
    return e.types().getFirst().shape().size() == 0
        || e.inputs().stream().anyMatch(i -> i.types().getFirst().shape().size() == 0);
  }

  private void place(Expr e) {
    if (isVirtual(e)) {
      if (needsMemory(e) && inlined.containsKey(e)) {
        placeInNest(e, e.shape());
      } else if (needsMemory(e) && isView(e)) {
        single(e);
      } else if (needsMemory(e)) {
        Unit u = unit(isEmpty(e) ? null : e.shape());
        u.nodes.add(e);
        if (e.op() instanceof ShapeOp.Broadcast) {
          depend(u, unitOf(e.input(0)));
        } else {
          depend(u, e);
        }
        unitOf.put(e, u);
      }
      return;
    }
    switch (e.op()) {
      case LeafOp.Parameter p -> {}
      case LeafOp.Data d -> {}
      case ShapeOp.Reshape r -> {}
      case ControlOp.Project p -> unitOf.put(e, unitOf.get(e.input(0)));
      case ElementOp op -> placeInNest(e, e.shape());
      case ReduceOp.Reduce op -> placeInNest(e, e.input(0).shape());
      default -> single(e);
    }
  }

  private void single(Expr e) {
    Unit u = unit(null);
    u.nodes.add(e);
    e.inputs().forEach(in -> depend(u, unitOf(in)));
    unitOf.put(e, u);
  }

  /** A virtual node is stored if anything but a nest reads it. */
  private boolean needsMemory(Expr e) {
    return results.contains(e)
        || consumers.getOrDefault(e, List.of()).stream().anyMatch(c -> !isInNest(c));
  }

  private static boolean isInNest(Expr e) {
    return (isPointwise(e) || e.op() instanceof ReduceOp.Reduce) && !isEmpty(e);
  }

  private void placeInNest(Expr e, Shape space) {
    if (isEmpty(e)) {
      single(e);
      return;
    }
    Unit home = null;
    Set<Unit> direct = new LinkedHashSet<>();
    Set<Unit> outside = new LinkedHashSet<>();
    for (Dependency d : dependencies(e)) {
      Unit u = unitOf(d.value());
      if (u == null) {
        continue;
      }
      Expr v = d.value();
      boolean inside =
          d.sameSpace() && u.isNest() && u.space.equals(space) && isPointwise(v) && !isSink(v);
      (inside ? direct : outside).add(u);
    }
    for (Unit candidate : direct) {
      if (accepts(candidate, e) && outside.stream().allMatch(o -> free(o, candidate))) {
        if (home == null) {
          home = candidate;
        } else if (mergeable(home, candidate, e)) {
          merge(home, candidate);
        }
      }
    }
    if (home != null) {
      for (Unit d : direct) { // the others stay outside: the nest must not depend on itself
        Unit other = d;
        if (!other.merged && other != home && !free(other, home)) {
          home = null;
          break;
        }
      }
    }
    if (home == null) {
      home = unit(space);
    }
    home.nodes.add(e);
    if (e.op() instanceof ReduceOp.Reduce r) {
      home.reducedAxes = r.axes();
    }
    unitOf.put(e, home);
    depend(home, e);
  }

  private boolean accepts(Unit u, Expr e) {
    boolean axes =
        !(e.op() instanceof ReduceOp.Reduce r)
            || u.reducedAxes == null
            || u.reducedAxes.equals(r.axes());
    return axes
        && u.nodes.size() < limits.nodes()
        && cost(u) + cost(e) <= limits.cost()
        && arrays(u) + e.inputs().size() < limits.arrays();
  }

  private int cost(Unit u) {
    return u.nodes.stream().mapToInt(this::cost).sum();
  }

  private int cost(Expr e) {
    return e.op() instanceof ElementOp.Pointwise p ? limits.of().applyAsInt(p.fn()) : 1;
  }

  /** True if {@code other} is not {@code home} and does not need it first. */
  private static boolean free(Unit other, Unit home) {
    return other != home && !other.ancestors.get(home.id);
  }

  private boolean mergeable(Unit a, Unit b, Expr joining) {
    return a != b
        && a.space.equals(b.space)
        && free(a, b)
        && free(b, a)
        && (a.reducedAxes == null || b.reducedAxes == null || a.reducedAxes.equals(b.reducedAxes))
        && (joining == null || accepts(b, joining))
        && a.nodes.size() + b.nodes.size() < limits.nodes()
        && cost(a) + cost(b) <= limits.cost()
        && arrays(a) + arrays(b) < limits.arrays();
  }

  private void merge(Unit into, Unit from) {
    into.nodes.addAll(from.nodes);
    from.nodes.forEach(n -> unitOf.put(n, into));
    if (into.reducedAxes == null) {
      into.reducedAxes = from.reducedAxes;
    }
    from.merged = true;
    into.ancestors.or(from.ancestors);
    for (Unit u : units) {
      if (u.ancestors.get(from.id) || u.ancestors.get(into.id)) {
        u.ancestors.clear(from.id);
        u.ancestors.set(into.id);
        u.ancestors.or(into.ancestors);
      }
    }
  }

  private void depend(Unit u, Expr e) {
    dependencies(e).forEach(d -> depend(u, unitOf(d.value())));
  }

  private void depend(Unit u, Unit source) {
    if (source == null || source == u || u.ancestors.get(source.id)) {
      return;
    }
    u.ancestors.set(source.id);
    u.ancestors.or(source.ancestors);
    for (Unit v : units) {
      if (v.ancestors.get(u.id)) {
        v.ancestors.or(u.ancestors);
      }
    }
  }

  private Unit unit(Shape space) {
    Unit u = new Unit(units.size(), space);
    units.add(u);
    return u;
  }

  /** Arrays a nest touches: what it reads from outside and what it has to store. */
  private int arrays(Unit u) {
    Set<Expr> outside = new HashSet<>();
    int stores = 0;
    for (Expr e : u.nodes) {
      for (Dependency d : dependencies(e)) {
        if (unitOf(d.value()) != u) {
          outside.add(d.value());
        }
      }
      stores += isStored(e, u) ? 1 : 0;
    }
    return outside.size() + stores;
  }

  /** True if node {@code e} of nest {@code u} must be in memory after the nest. */
  public boolean isStored(Expr e, Unit u) {
    return isSink(e) || isVirtual(e) || results.contains(e) || isReadOutside(e, u);
  }

  private boolean isReadOutside(Expr e, Unit u) {
    return consumers.getOrDefault(e, List.of()).stream().anyMatch(c -> readsOutside(c, u));
  }

  /**
   * True if {@code c}, or a nest that computes {@code c} anew, reads its input outside {@code u}.
   */
  private boolean readsOutside(Expr c, Unit u) {
    Unit own = unitOf.get(c);
    if (!inlined.containsKey(c)) {
      return c.op() instanceof ShapeOp.Broadcast || isView(c) || own != u;
    }
    // Whatever is no nest reads c itself from the memory that c then has.
    return (own != null && own != u)
        || consumers.getOrDefault(c, List.of()).stream()
            .anyMatch(d -> isInNest(d) && readsOutside(d, u));
  }

  /** Nests over the same space that read the same large array become one pass over it. */
  private void mergeSiblings() {
    Map<Expr, List<Unit>> readers = new LinkedHashMap<>();
    for (Unit u : units) {
      if (!u.isNest() || u.merged) {
        continue;
      }
      Set<Expr> seen = new HashSet<>();
      for (Expr e : u.nodes) {
        for (Dependency d : dependencies(e)) {
          boolean outside = d.sameSpace() && unitOf(d.value()) != u;
          if (outside && seen.add(memory(d.value()))) {
            readers.computeIfAbsent(memory(d.value()), k -> new ArrayList<>()).add(u);
          }
        }
      }
    }
    for (List<Unit> list : readers.values()) {
      for (int i = 0; i < list.size(); i++) {
        for (int j = i + 1; j < list.size(); j++) {
          Unit a = list.get(i);
          Unit b = list.get(j);
          if (!a.merged && !b.merged && mergeable(a, b, null)) {
            merge(a, b);
          }
        }
      }
    }
  }

  private List<Unit> order() {
    List<Unit> order = new ArrayList<>();
    BitSet done = new BitSet();
    for (Expr e : nodes) { // earliest node first, each after its sources
      Unit u = unitOf.get(e);
      if (u != null) {
        visit(u, done, order);
      }
    }
    return order;
  }

  private void visit(Unit u, BitSet done, List<Unit> order) {
    if (done.get(u.id)) {
      return;
    }
    // Ancestors are complete sets, so running them in the order of their own sizes is a valid
    // order.
    List<Unit> before = new ArrayList<>();
    for (int i = u.ancestors.nextSetBit(0); i >= 0; i = u.ancestors.nextSetBit(i + 1)) {
      if (!done.get(i) && !units.get(i).merged) {
        before.add(units.get(i));
      }
    }
    before.sort((a, b) ->
        a.ancestors.cardinality() != b.ancestors.cardinality()
            ? Integer.compare(a.ancestors.cardinality(), b.ancestors.cardinality())
            : Integer.compare(a.id, b.id));
    for (Unit b : before) {
      done.set(b.id);
      order.add(b);
    }
    done.set(u.id);
    order.add(u);
  }

  /** The nodes of a unit in the order of the graph. */
  public List<Expr> sorted(Unit u) {
    Set<Expr> own = new HashSet<>(u.nodes);
    return nodes.stream().filter(own::contains).toList();
  }

  /** The maxima at these positions of the positions' own F32 input, if anything wants them. */
  public Expr pooledAt(Expr positions) {
    Expr x = positions.input(0);
    for (Expr c : consumers.getOrDefault(positions, List.of())) {
      boolean own =
          c.op() instanceof PoolOp.PoolGather gather
              && positions.op() instanceof PoolOp.PoolArgMax max
              && gather.window().equals(max.window())
              && c.input(0) == x
              && c.input(1) == positions;
      if (own && x.dtype() == DType.F32 && !isEmpty(c)) {
        return c;
      }
    }
    return null;
  }
}
