package dev.vauban.tensor.backend.cuda;

import dev.vauban.natives.cuda.GemmSpec;
import dev.vauban.tensor.ContractOp;
import dev.vauban.tensor.ControlOp;
import dev.vauban.tensor.ConvOp;
import dev.vauban.tensor.ElementOp;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Graph;
import dev.vauban.tensor.IndexOp;
import dev.vauban.tensor.LeafOp;
import dev.vauban.tensor.Passes;
import dev.vauban.tensor.PoolOp;
import dev.vauban.tensor.RandomOp;
import dev.vauban.tensor.ReduceOp;
import dev.vauban.tensor.ShapeOp;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.backend.fusion.Fusion;
import dev.vauban.tensor.backend.fusion.Placement;
import dev.vauban.tensor.backend.fusion.PoolExpansion;
import dev.vauban.tensor.backend.fusion.RegionBuilder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Turns a graph into steps with planned memory. Needs no card. */
final class Lowering {
  /** Nests beyond this would not fit a thread's registers. */
  private static final Fusion.Limits LIMITS = new Fusion.Limits(48, 24, 48, fn -> 1);

  /** Memory of a result that is not computed here: a parameter, a constant, a second use. */
  private record ResultCopy(int index) {}

  private final Choices choices;
  private final List<Step> steps = new ArrayList<>();
  private final Map<Object, Type> types = new HashMap<>();
  private final Map<Expr, List<Expr>> readers = new HashMap<>();
  private Set<Expr> results;
  private Set<Expr> params;
  private Fusion fusion;

  private Lowering(Choices choices) {
    this.choices = choices;
  }

  /** The code of a whole program. */
  static Code program(Graph g, Choices choices) {
    Graph optimised = Passes.optimise(g);
    // Poolings first: as pointwise code they join nests also once their maps are batched.
    Graph expanded = PoolExpansion.of(optimised, images -> true);
    return new Lowering(choices).lower(Passes.batchMaps(expanded));
  }

  private Code lower(Graph g) {
    this.fusion = new Fusion(g, LIMITS);
    this.params = new HashSet<>(g.params());
    this.results = new HashSet<>(g.results());
    for (Expr e : g.nodes()) {
      e.inputs().forEach(in -> readers.computeIfAbsent(in, k -> new ArrayList<>()).add(e));
    }
    for (Fusion.Unit u : fusion.units()) {
      add(u);
    }
    List<Object> out = new ArrayList<>();
    Set<Expr> claimed = new HashSet<>();
    for (int i = 0; i < g.results().size(); i++) {
      Expr memory = Fusion.memory(g.results().get(i));
      if (fusion.unitOf(memory) != null && claimed.add(memory)) {
        types.putIfAbsent(memory, memory.type()); // one without elements has no step
        out.add(memory);
      } else {
        ResultCopy key = new ResultCopy(i);
        types.put(key, memory.type());
        if (memory.type().bytes() > 0) {
          steps.add(new Step.Copy(List.of(memory), List.of(key), memory.type().bytes()));
        }
        out.add(key);
      }
    }
    dropUnread(out);
    return place(g, out);
  }

  private void add(Fusion.Unit u) {
    if (u.isNest()) {
      List<Expr> nodes = fusion.sorted(u);
      RegionBuilder.Built built =
          RegionBuilder.build(u.space(), nodes, e -> fusion.isStored(e, u), fusion::isInlined);
      built.writes().forEach(e -> types.put(e, e.type()));
      Nests.Built nest = Nests.of(built.region(), built.offsets());
      steps.add(
          new Step.Kernels(
              built.label(nodes),
              new ArrayList<>(built.reads()),
              new ArrayList<>(built.writes()),
              nest.scratchBytes(),
              built.flops(),
              nest.launches()));
      return;
    }
    Expr e = u.operation();
    if (types.containsKey(e)) {
      return; // stored by what it reads
    }
    List<Object> reads = new ArrayList<>(e.inputs().stream().map(Fusion::memory).toList());
    if (e.op() instanceof ControlOp.Loop l) {
      Code body = new Lowering(choices).lower(l.body());
      steps.add(new Step.Loop(body, l, reads, projections(e)));
      return;
    }
    types.put(e, e.type());
    if (e.shape().size() == 0) {
      return;
    }
    if (e.op() instanceof ConvOp c && !isEmpty(e)) {
      steps.addAll(convolution(e, c));
    } else {
      single(e, reads);
    }
  }

  private static boolean isEmpty(Expr e) {
    return e.inputs().stream().anyMatch(i -> i.shape().size() == 0);
  }

  private void single(Expr e, List<Object> reads) {
    boolean moves = e.op() instanceof ShapeOp.Concat || e.op() instanceof IndexOp.Gather;
    if (isEmpty(e) && !moves) {
      steps.add(kernels(e, reads, 0, zeros(e))); // sums without terms, padding of nothing
      return;
    }
    switch (e.op()) {
      case ContractOp.Contract c -> steps.add(contraction(e, c, reads));
      case PoolOp p -> steps.add(kernels(e, reads, 0, Pools.of(e, p)));
      case ShapeOp.Transpose t -> steps.add(kernels(e, reads, 0, Movement.transpose(e, t)));
      case ShapeOp.Slice s -> steps.add(kernels(e, reads, 0, Movement.slice(e, s)));
      case ShapeOp.Pad p -> steps.add(kernels(e, reads, 0, Movement.pad(e, p)));
      case ShapeOp.Concat c -> steps.add(kernels(e, reads, 0, Movement.concat(e, c.axis())));
      case IndexOp.Gather g -> steps.add(kernels(e, reads, 0, Movement.gather(e, g)));
      case IndexOp.ScatterAdd s -> scatterAdd(e, s, reads);
      case ReduceOp.ArgReduce r -> steps.add(kernels(e, reads, 0, Orders.argReduce(e, r)));
      case ReduceOp.ArgSort r -> steps.add(kernels(e, reads, 0, Orders.argSort(e, r)));
      case RandomOp.Random r -> steps.add(kernels(e, reads, 0, Draws.random(e, r)));
      case RandomOp.Fold f -> steps.add(kernels(e, reads, 0, Draws.fold(e)));
      case ControlOp.StopGradient s ->
          steps.add(new Step.Copy(reads, List.of(e), e.type().bytes()));
      case ConvOp c -> throw new IllegalStateException("lowered by its views");
      case ReduceOp.Variance v -> throw new IllegalStateException("expanded before");
      case ReduceOp.Reduce r -> throw new IllegalStateException("part of a nest");
      case ElementOp op -> throw new IllegalStateException("part of a nest");
      case LeafOp op -> throw new IllegalStateException("part of a nest");
      case ShapeOp.Broadcast b -> throw new IllegalStateException("part of a nest");
      case ShapeOp.Reshape r -> throw new IllegalStateException("another name of its input");
      case ControlOp.Map m -> throw new IllegalStateException("batched before");
      case ControlOp.Loop l -> throw new IllegalStateException("lowered as a program");
      case ControlOp.Project p -> throw new IllegalStateException("a result of a program");
      case ControlOp.Tuple t -> throw new IllegalStateException("simplified away");
    }
  }

  /** By sorted indices where looking through all of them for each result would take long. */
  private void scatterAdd(Expr e, IndexOp.ScatterAdd s, List<Object> reads) {
    if (!Movement.sorts(e)) {
      steps.add(kernels(e, reads, 0, Movement.scatterAdd(e, s, false)));
      return;
    }
    int count = Math.toIntExact(e.input(1).shape().size());
    ReduceOp.ArgSort sort = new ReduceOp.ArgSort(0, ReduceOp.Order.ASCENDING, count);
    Expr order = Expr.of(sort, List.of(e.input(1).reshape(count)));
    steps.add(kernels(order, reads.subList(1, 2), 0, Orders.argSort(order, sort)));
    List<Object> all = new ArrayList<>(reads);
    all.add(order);
    steps.add(kernels(e, all, 0, Movement.scatterAdd(e, s, true)));
  }

  private static Nests.Built zeros(Expr e) {
    return Elementwise.of(
        "zeros",
        Elementwise.out(Scalars.memory(e.dtype()), "y"),
        List.of(new Launch.Write(0)),
        e.shape().size(),
        Source.Positions.upTo(e.shape().size()),
        s -> s.line("y[p] = 0;"));
  }

  private static Step kernels(Expr e, List<Object> reads, long flops, Nests.Built built) {
    return new Step.Kernels(
        label(e), reads, List.of(e), built.scratchBytes(), flops, built.launches());
  }

  /** Operation and types: {@code transpose f32[2,3] -> f32[3,2]}. */
  private static String label(Expr e) {
    return e.inputs().stream()
        .map(i -> " " + i.type())
        .collect(Collectors.joining("", e.op().label(), " -> " + e.type()));
  }

  private Step contraction(Expr e, ContractOp.Contract c, List<Object> reads) {
    Product p = Contractions.product(e, c);
    Products.Unit unit = choices.unit(e.input(0).dtype());
    Optional<GemmSpec> spec = choices.library() ? Contractions.library(p, unit) : Optional.empty();
    if (spec.isPresent()) {
      return new Step.Library("cublasLt " + label(e), reads, List.of(e), p.flops(), spec.get());
    }
    return kernels(e, reads, p.flops(), Products.of(p, unit, new int[] {0, 1}, most(e), size(e)));
  }

  private static long size(Expr e) {
    return e.shape().size();
  }

  /** Elements of the largest array. */
  private static long most(Expr e) {
    return e.inputs().stream().mapToLong(Lowering::size).reduce(size(e), Math::max);
  }

  /** A convolution on images of several tasks as they lie, see {@link View}. */
  private List<Step> convolution(Expr e, ConvOp c) {
    Expr moved = onlyReader(onlyReader(e));
    int tasks = 1;
    for (Expr in : e.inputs()) {
      tasks = Math.max(tasks, tasks(in.op() instanceof ShapeOp.Reshape ? in.input(0) : null, c));
    }
    if (tasks == 1 && moved != null && moved.op() instanceof ShapeOp.Transpose) {
      tasks = tasks(moved.input(0), c);
    }
    View first = View.of(e.input(0), tasks, this::inMemory);
    View second = View.of(e.input(1), tasks, this::inMemory);
    View result = moved == null || tasks == 1 ? null : View.moved(e, moved, tasks);
    if (result == null) {
      result = View.contiguous(e, tasks);
    } else {
      types.put(moved, moved.type());
    }
    String label = label(e) + (tasks > 1 ? " for " + tasks + " tasks" : "");
    Convolutions made = Convolutions.of(e, c, first, second, result);
    List<Object> reads = List.of(first.memory(), second.memory());
    Object write = result.memory();
    Choices.Convolution wanted = choices.settings().convolution();
    Optional<Im2col.Made> patches =
        wanted == Choices.Convolution.IMPLICIT
            ? Optional.empty()
            : Im2col.of(made, e, label, reads, write, choices);
    if (patches.isPresent() && wanted == Choices.Convolution.PATCHES) {
      return patches.get().all();
    }
    Product p = made.product();
    Nests.Built built =
        Products.of(p, choices.unit(e.input(0).dtype()), new int[] {0, 1}, most(e), size(e));
    List<Step> implicit =
        List.of(
            new Step.Kernels(
                label, reads, List.of(write), built.scratchBytes(), p.flops(), built.launches()));
    if (patches.isEmpty() || !patches.get().library()) {
      return implicit;
    }
    Ways.Alternatives both = new Ways.Alternatives(reads, write, implicit, patches.get().all());
    return both.steps(choices.ways().of(both));
  }

  /** Whether a node's elements are in memory: given, or written by a step before its readers. */
  private boolean inMemory(Expr node) {
    Expr e = Fusion.memory(node);
    Fusion.Unit u = fusion.unitOf(e);
    if (u == null) {
      return params.contains(e) || e.op() instanceof LeafOp.Data;
    }
    return !u.isNest() || !fusion.isInlined(e) && fusion.isStored(e, u);
  }

  /** How many tasks an array [.., .., .., tasks, channels] may hold for a convolution. */
  private static int tasks(Expr five, ConvOp c) {
    boolean may = five != null && five.shape().rank() == 5 && c.groups() % five.shape().dim(3) == 0;
    return may ? five.shape().dim(3) : 1;
  }

  /** The node that alone reads {@code e}; null if there is none, or e is a result. */
  private Expr onlyReader(Expr e) {
    if (e == null || results.contains(e)) {
      return null;
    }
    List<Expr> all = readers.getOrDefault(e, List.of());
    return all.size() == 1 ? all.getFirst() : null;
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

  /**
   * Drops steps that write only what nobody reads: transpositions that convolutions look through.
   */
  private void dropUnread(List<Object> out) {
    Set<Object> read = new HashSet<>(out);
    for (int i = steps.size() - 1; i >= 0; i--) {
      if (steps.get(i).writes().stream().anyMatch(read::contains)) {
        read.addAll(steps.get(i).reads());
      } else {
        steps.remove(i);
      }
    }
  }

  private long bytes(Object key) {
    return switch (key) {
      case Expr e -> e.type().bytes();
      case Im2col.Stored s -> s.type().bytes();
      default -> types.get(key).bytes();
    };
  }

  private Code place(Graph g, List<Object> results) {
    Placement at =
        Placement.of(
            steps.stream()
                .map(s -> new Placement.Use(s.reads(), s.writes(), s.scratchBytes()))
                .toList(),
            g.params(),
            results,
            this::bytes);
    return new Code(
        List.copyOf(steps),
        at.steps(),
        at.scratch(),
        at.offsets(),
        at.constants(),
        at.slotsOf(g.params()),
        at.slotsOf(results),
        at.slabBytes());
  }
}
