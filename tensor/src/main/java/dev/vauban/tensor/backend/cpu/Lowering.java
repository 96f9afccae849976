package dev.vauban.tensor.backend.cpu;

import dev.vauban.tensor.ControlOp;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Graph;
import dev.vauban.tensor.LeafOp;
import dev.vauban.tensor.PoolOp;
import dev.vauban.tensor.Type;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Turns a graph into steps with planned memory. */
final class Lowering {
  /** How many workers share the elements of a Map at this place. */
  enum Place {
    /** Outside every Map: elements are shared out. */
    OUTSIDE,
    /** Inside a Map: the worker that runs the body runs its Maps too. */
    INSIDE_MAP
  }

  /** Memory of a result that is not computed here: a parameter, a constant, a second use. */
  private record ResultCopy(int index) {}

  private final Context context;
  private final Arena constants;
  private final Place place;
  private final List<Step> steps = new ArrayList<>();
  private final Map<Object, Type> types = new HashMap<>();

  Lowering(Context context, Arena constants, Place place) {
    this.context = context;
    this.constants = constants;
    this.place = place;
  }

  /** The code of {@code g}. */
  Code lower(Graph g) {
    Fusion fusion = new Fusion(g);
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
          RegionBuilder.build(u.space, nodes, e -> fusion.isStored(e, u), fusion::isInlined);
      built.writes().forEach(e -> types.put(e, e.type()));
      steps.add(RegionStep.of(built, nodes));
      return;
    }
    Expr e = u.nodes.getFirst();
    if (types.containsKey(e)) {
      return; // made together with another node
    }
    List<Object> reads = new ArrayList<>(e.inputs().stream().map(Fusion::memory).toList());
    switch (e.op()) {
      case ControlOp.Map m -> {
        int frames = place == Place.OUTSIDE ? Math.min(context.workers.size(), m.size()) : 1;
        Code body = new Lowering(context, constants, Place.INSIDE_MAP).lower(m.body());
        steps.add(new MapStep(body, m, Math.max(frames, 1), reads, projections(e)));
      }
      case ControlOp.Loop l -> {
        Code body = new Lowering(context, constants, place).lower(l.body());
        steps.add(new LoopStep(body, l, reads, projections(e)));
      }
      case PoolOp.PoolArgMax p when fusion.pooledAt(e) != null -> {
        Expr values = fusion.pooledAt(e);
        types.put(e, e.type());
        types.put(values, values.type());
        steps.add(Kernels.maxPool(e, p, values, reads));
      }
      default -> {
        types.put(e, e.type());
        steps.add(Kernels.step(e, reads, context));
      }
    }
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
    Map<Object, Integer> slots = new LinkedHashMap<>();
    Map<Object, int[]> life = new HashMap<>(); // first and last step
    for (int i = 0; i < steps.size(); i++) {
      for (Object key : steps.get(i).reads()) {
        slots.putIfAbsent(key, slots.size());
        int step = i;
        life.computeIfAbsent(key, k -> new int[] {step, step})[1] = i;
      }
      for (Object key : steps.get(i).writes()) {
        slots.putIfAbsent(key, slots.size());
        life.put(key, new int[] {i, i});
      }
    }
    int[] params = new int[g.params().size()];
    for (int i = 0; i < params.length; i++) {
      params[i] = slots.getOrDefault(g.params().get(i), -1);
    }
    int[] resultSlots = results.stream().mapToInt(slots::get).toArray();
    long[] addresses = new long[slots.size()];
    long[] offsets = new long[slots.size()];
    Arrays.fill(offsets, -1);
    MemoryPlanner planner = new MemoryPlanner();
    Map<Integer, Integer> blocks = new HashMap<>();
    slots.forEach((key, slot) -> {
      boolean external = Arrays.stream(resultSlots).anyMatch(r -> r == slot);
      if (key instanceof Expr e && e.op() instanceof LeafOp.Data d) {
        addresses[slot] = constant(d).address();
      } else if (!external && !(key instanceof Expr e && e.op() instanceof LeafOp.Parameter)) {
        int[] l = life.get(key);
        blocks.put(slot, planner.add(new MemoryPlanner.Block(types.get(key).bytes(), l[0], l[1])));
      }
    });
    int[] scratch = new int[steps.size()];
    for (int i = 0; i < scratch.length; i++) {
      scratch[i] = planner.add(new MemoryPlanner.Block(steps.get(i).scratchBytes(), i, i));
    }
    planner.plan();
    blocks.forEach((slot, block) -> offsets[slot] = planner.offset(block));
    List<int[]> stepSlots = new ArrayList<>();
    for (Step s : steps) {
      List<Object> keys = new ArrayList<>(s.reads());
      keys.addAll(s.writes());
      stepSlots.add(keys.stream().mapToInt(slots::get).toArray());
    }
    long[] scratchOffsets = Arrays.stream(scratch).mapToLong(planner::offset).toArray();
    return new Code(
        List.copyOf(steps),
        stepSlots,
        scratchOffsets,
        addresses,
        offsets,
        params,
        resultSlots,
        planner.size());
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
