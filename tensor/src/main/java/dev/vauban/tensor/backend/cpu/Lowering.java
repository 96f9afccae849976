package dev.vauban.tensor.backend.cpu;

import dev.vauban.tensor.ControlOp;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Graph;
import dev.vauban.tensor.LeafOp;
import dev.vauban.tensor.PoolOp;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.backend.fusion.Fusion;
import dev.vauban.tensor.backend.fusion.Placement;
import dev.vauban.tensor.backend.fusion.RegionBuilder;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntPredicate;

/** Turns a graph into steps with planned memory. */
final class Lowering {
  /** More would exceed what the JIT takes in one method ({@link RegionCompiler#MAX_COST}). */
  private static final Fusion.Limits LIMITS = new Fusion.Limits(40, 24, 100, RegionCompiler::cost);

  /** How many workers share the elements of a Map at this place. */
  enum Place {
    /** Outside every Map: elements are shared out. */
    OUTSIDE,
    /** Inside a Map: the worker that runs the body runs its Maps too. */
    INSIDE_MAP
  }

  /**
   * A transformed kernel that the body of a Map or Loop finds ready, since the kernel is the same
   * every time.
   *
   * @param kernel the body's parameter
   * @param use which transform
   */
  private record Ready(Expr kernel, Tiles.Use use) {}

  /** Memory of a result that is not computed here: a parameter, a constant, a second use. */
  private record ResultCopy(int index) {}

  private final Context context;
  private final Arena constants;
  private final Place place;
  private final IntPredicate constantParameter;
  private final Map<Ready, Tiles> ready = new LinkedHashMap<>();
  private List<Expr> params;
  private final List<Step> steps = new ArrayList<>();
  private final Map<Object, Type> types = new HashMap<>();

  /** Of a whole program. */
  Lowering(Context context, Arena constants, Place place) {
    this(context, constants, place, i -> false);
  }

  private Lowering(Context context, Arena constants, Place place, IntPredicate constantParameter) {
    this.context = context;
    this.constants = constants;
    this.place = place;
    this.constantParameter = constantParameter;
  }

  /** Of a body whose parameter number i may be the same every time that the body runs. */
  private Lowering body(Place place, IntPredicate constantParameter) {
    return new Lowering(context, constants, place, constantParameter);
  }

  /** The code of {@code g}. */
  Code lower(Graph g) {
    this.params = g.params();
    Fusion fusion = new Fusion(g, LIMITS);
    for (Fusion.Unit u : fusion.units()) {
      addUnit(u, fusion);
    }
    List<Object> results = new ArrayList<>();
    Set<Expr> claimed = new HashSet<>();
    for (int i = 0; i < g.results().size(); i++) {
      Expr memory = Fusion.memory(g.results().get(i));
      if (fusion.unitOf(memory) != null && claimed.add(memory)) {
        results.add(memory);
      } else {
        ResultCopy key = new ResultCopy(i);
        types.put(key, memory.type());
        steps.add(Kernels.copy(memory, key, memory.type().bytes()));
        results.add(key);
      }
    }
    return place(g, results);
  }

  private void addUnit(Fusion.Unit u, Fusion fusion) {
    if (u.isNest()) {
      List<Expr> nodes = fusion.sorted(u);
      RegionBuilder.Built built =
          RegionBuilder.build(u.space(), nodes, e -> fusion.isStored(e, u), fusion::isInlined);
      built.writes().forEach(e -> types.put(e, e.type()));
      RegionStep nest = RegionStep.of(built, nodes);
      steps.add(place == Place.OUTSIDE ? Splitting.nest(nest, context) : nest);
      return;
    }
    Expr e = u.operation();
    if (types.containsKey(e)) {
      return; // made together with another node
    }
    List<Object> reads = new ArrayList<>(e.inputs().stream().map(Fusion::memory).toList());
    switch (e.op()) {
      case ControlOp.Map m -> {
        int frames = place == Place.OUTSIDE ? Math.min(context.workers.size(), m.size()) : 1;
        Lowering inner = body(Place.INSIDE_MAP, i -> i >= m.mapped());
        Code body = inner.lower(m.body());
        inner.ready.forEach((key, t) -> reads.add(transformed(argument(inner, key, reads, 0), t)));
        steps.add(new MapStep(body, m, Math.max(frames, 1), reads, projections(e)));
      }
      case ControlOp.Loop l -> {
        Lowering inner = body(place, i -> i > l.states());
        Code body = inner.lower(l.body());
        inner.ready.forEach((key, t) -> reads.add(transformed(argument(inner, key, reads, 1), t)));
        steps.add(new LoopStep(body, l, reads, projections(e)));
      }
      case PoolOp.PoolArgMax p when fusion.pooledAt(e) != null -> {
        Expr values = fusion.pooledAt(e);
        types.put(e, e.type());
        types.put(values, values.type());
        steps.add(
            place == Place.OUTSIDE
                ? Splitting.maxPool(e, p, values, reads, context)
                : Kernels.maxPool(e, p, values, reads));
      }
      default -> {
        types.put(e, e.type());
        Tiles t = Tiles.of(e, context);
        steps.add(t != null ? tiled(t, reads) : single(e, reads));
      }
    }
  }

  private Step single(Expr e, List<Object> reads) {
    return place == Place.OUTSIDE
        ? Splitting.single(e, reads, context)
        : Kernels.step(e, reads, context);
  }

  /** With its kernel's transform as a step of its own where that is shared by parts or runs. */
  private Step tiled(Tiles t, List<Object> reads) {
    int parts = place == Place.OUTSIDE ? Splitting.parts(t) : 1;
    boolean shared = parts > 1 || isReady(reads.get(1), t);
    return shared
        ? t.convolve(reads.get(0), transformed(reads.get(1), t), parts, context)
        : Kernels.step(t.e(), reads, context);
  }

  /** Whether what runs this body can transform the kernel once for all runs. */
  private boolean isReady(Object kernel, Tiles t) {
    return t.isLarge()
        && kernel instanceof Expr p
        && params.contains(p)
        && constantParameter.test(params.indexOf(p));
  }

  /** The memory of a transformed kernel, made outside this body if possible, else here. */
  private Object transformed(Object kernel, Tiles t) {
    if (isReady(kernel, t)) {
      Ready key = new Ready((Expr) kernel, t.use());
      ready.putIfAbsent(key, t);
      return key;
    }
    Tiles.Transformed key = new Tiles.Transformed(kernel, t.use());
    if (types.putIfAbsent(key, t.transformedType()) == null) {
      steps.add(t.transform(kernel, key));
    }
    return key;
  }

  /**
   * What this graph passes for the kernel of a body; parameters follow {@code own} of the body's.
   */
  private static Object argument(Lowering body, Ready key, List<Object> reads, int own) {
    return reads.get(body.params.indexOf(key.kernel()) - own);
  }

  private List<Object> projections(Expr node) {
    List<Object> out = new ArrayList<>();
    for (int i = 0; i < node.types().size(); i++) {
      Expr p = Expr.of(new ControlOp.Project(i), List.of(node));
      types.put(p, p.type());
      out.add(p);
    }
    return out;
  }

  private Code place(Graph g, List<Object> results) {
    List<Object> given = new ArrayList<>(g.params());
    given.addAll(ready.keySet());
    Placement at =
        Placement.of(
            steps.stream()
                .map(s -> new Placement.Use(s.reads(), s.writes(), s.scratchBytes()))
                .toList(),
            given,
            results,
            key -> types.get(key).bytes());
    long[] addresses = new long[at.slots().size()];
    at.constants().forEach((slot, d) -> addresses[slot] = constant(d).address());
    return new Code(
        List.copyOf(steps),
        at.steps(),
        at.scratch(),
        addresses,
        at.offsets(),
        at.slotsOf(given),
        at.slotsOf(results),
        at.slabBytes());
  }

  private MemorySegment constant(LeafOp.Data d) {
    MemorySegment m = constants.allocate(Math.max(1, d.type().bytes()), 64);
    Elements elements = Elements.of(d.type().dtype());
    for (int i = 0; i < d.values().size(); i++) {
      elements.set(m.address() + (long) i * d.type().dtype().bytes(), d.values().get(i));
    }
    return m;
  }
}
