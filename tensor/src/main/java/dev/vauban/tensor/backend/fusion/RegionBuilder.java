package dev.vauban.tensor.backend.fusion;

import dev.vauban.tensor.DType;
import dev.vauban.tensor.ElementOp;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.LeafOp;
import dev.vauban.tensor.ReduceOp;
import dev.vauban.tensor.ScalarFn;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.ShapeOp;
import dev.vauban.tensor.Type;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/** Translates a nest of graph nodes into a {@link Region}: operands, code, outputs, loops. */
public final class RegionBuilder {
  /**
   * A region with the memory that its operands and outputs stand for, in the region's order.
   *
   * @param offsets for each operand, bytes from its memory's beginning
   */
  public record Built(Region region, List<Expr> reads, List<Long> offsets, List<Expr> writes) {
    private static final int NAMED = 12;

    /** For prints: {@code nest [8, 2] 4->2 mul+reduce-sum}. */
    public String label(List<Expr> nodes) {
      StringBuilder s = new StringBuilder("nest ").append(region.dims());
      s.append(' ').append(reads.size()).append("->").append(writes.size()).append(' ');
      for (int i = 0; i < nodes.size() && i < NAMED; i++) {
        s.append(i == 0 ? "" : "+").append(nodes.get(i).op().label());
      }
      return nodes.size() > NAMED ? s.append("+...").toString() : s.toString();
    }

    /** One operation per point and instruction that computes. */
    public long flops() {
      return region.flops();
    }
  }

  /** An operand before loops are merged: memory, its first element, strides over the full space. */
  private record Access(Expr memory, long first, List<Long> strides) {}

  /** Points of a nest whose time is that of calling it. */
  private static final long SMALL = 4096;

  private final Shape space;
  private final List<Access> reads = new ArrayList<>();
  private final List<DType> readTypes = new ArrayList<>();
  private final List<Region.Instruction> code = new ArrayList<>();
  private final Map<Expr, Integer> values = new HashMap<>();
  private final List<Expr> writes = new ArrayList<>();
  private final List<Integer> writeValues = new ArrayList<>();
  private final List<List<Long>> writeStrides = new ArrayList<>();
  private final List<Integer> iotaAxes = new ArrayList<>();

  private final Predicate<Expr> inlined;

  private RegionBuilder(Shape space, Predicate<Expr> inlined) {
    this.space = space;
    this.inlined = inlined;
  }

  /**
   * The region of a nest.
   *
   * @param nodes the nest's nodes, sources first
   * @param stored which of them must be in memory afterwards
   * @param inlined which nodes are computed anew where they are read
   */
  public static Built build(
      Shape space, List<Expr> nodes, Predicate<Expr> stored, Predicate<Expr> inlined) {
    RegionBuilder b = new RegionBuilder(space, inlined);
    for (Expr e : nodes) {
      b.add(e, stored.test(e));
    }
    return b.finish();
  }

  private void add(Expr e, boolean stored) {
    switch (e.op()) {
      case ReduceOp.Reduce r -> write(e, value(e.input(0)), reducedStrides(r));
      case ElementOp.Cast c when Fusion.isSink(e) ->
          write(e, value(e.input(0)), strides(space.strides()));
      default -> {
        int v = e.op() instanceof ElementOp ? computed(e) : value(e);
        if (stored) {
          write(e, v, strides(space.strides()));
        }
      }
    }
  }

  private int computed(Expr e) {
    Integer known = values.get(e);
    if (known != null) {
      return known;
    }
    int v =
        e.op() instanceof ElementOp.Pointwise p
            ? emit(
                new Region.Apply(
                    p.fn(),
                    e.inputs().stream().map(in -> argument(p.fn(), in)).toList(),
                    compute(e.dtype())))
            : convert(value(e.input(0)), compute(e.dtype()));
    values.put(e, v);
    return v;
  }

  /**
   * The value of an argument. A small nest reads the numbers that differ from layer to layer (one
   * over a number of elements, a rate times it) from memory: nests that are equal but for them are
   * one class, which is compiled once and, called so much more often, earlier.
   */
  private int argument(ScalarFn fn, Expr in) {
    boolean shared =
        in.op() instanceof LeafOp.Fill f
            && in.dtype() == DType.F32
            && (fn == ScalarFn.ADD || fn == ScalarFn.SUB || fn == ScalarFn.MUL)
            && Math.rint(f.value() * 2) != f.value() * 2
            && space.size() <= SMALL;
    if (!shared) {
      return value(in);
    }
    double number = ((LeafOp.Fill) in.op()).value();
    LeafOp.Data one = new LeafOp.Data(Type.f32(), new LeafOp.Values(number));
    return load(Expr.of(one, List.of()), 0, new long[space.rank()], DType.F32);
  }

  private void write(Expr e, int value, List<Long> strides) {
    writes.add(e);
    writeValues.add(value);
    writeStrides.add(strides);
  }

  private int emit(Region.Instruction i) {
    code.add(i);
    return code.size() - 1;
  }

  private int convert(int value, DType to) {
    return code.get(value).compute() == to ? value : emit(new Region.Convert(value, to));
  }

  /** The type in which values of a storage type are computed. */
  private static DType compute(DType t) {
    return switch (t) {
      case F32, BF16, U8 -> DType.F32;
      case F64 -> DType.F64;
      case I32 -> DType.I32;
    };
  }

  /** The value of an input: computed here, a constant, or loaded. */
  private int value(Expr e) {
    Integer known = values.get(e);
    if (known != null) {
      return known;
    }
    if (inlined.test(e)) {
      return computed(e);
    }
    int v =
        switch (e.op()) {
          case LeafOp.Fill f -> emit(new Region.Constant(f.value(), compute(e.dtype())));
          case LeafOp.Iota i -> {
            iotaAxes.add(i.axis());
            yield emit(new Region.Index(i.axis(), compute(e.dtype())));
          }
          case ShapeOp.Broadcast b -> {
            long[] inner = e.input(0).shape().strides();
            long[] s = new long[space.rank()];
            for (int i = 0; i < inner.length; i++) {
              s[b.axes().get(i)] = inner[i];
            }
            yield load(e.input(0), 0, s, e.dtype());
          }
          case ShapeOp.Slice s when Fusion.isView(e) -> {
            long[] walk = e.input(0).shape().strides();
            long first = 0;
            for (int i = 0; i < walk.length; i++) {
              first += s.starts().get(i) * walk[i];
              walk[i] *= s.strides().get(i);
            }
            yield load(e.input(0), first, walk, e.dtype());
          }
          default -> load(e, 0, space.strides(), e.dtype());
        };
    values.put(e, v);
    return v;
  }

  private int load(Expr e, long first, long[] s, DType type) {
    Access a = new Access(Fusion.memory(e), first, strides(s));
    int i = reads.indexOf(a);
    if (i < 0) {
      i = reads.size();
      reads.add(a);
      readTypes.add(type);
    }
    Region.Load load = new Region.Load(i, compute(type));
    int known = code.indexOf(load);
    return known >= 0 ? known : emit(load);
  }

  /** Strides with those of dimensions of size 1 set to 0, so that equal walks compare equal. */
  private List<Long> strides(long[] s) {
    List<Long> out = new ArrayList<>();
    for (int i = 0; i < s.length; i++) {
      out.add(space.dim(i) == 1 ? 0L : s[i]);
    }
    return out;
  }

  private List<Long> reducedStrides(ReduceOp.Reduce r) {
    long[] s = new long[space.rank()];
    long size = 1;
    for (int a = space.rank() - 1; a >= 0; a--) {
      if (!r.axes().contains(a)) {
        s[a] = size;
        size *= space.dim(a);
      }
    }
    return strides(s);
  }

  private Built finish() {
    List<List<Long>> walks = new ArrayList<>();
    reads.forEach(r -> walks.add(r.strides()));
    walks.addAll(writeStrides);
    // An index along an axis keeps that axis apart, like an array that only it walks.
    for (int axis : iotaAxes) {
      long[] s = new long[space.rank()];
      s[axis] = 1;
      walks.add(strides(s));
    }
    List<Integer> dims = new ArrayList<>();
    List<Integer> last = new ArrayList<>(); // innermost original axis of each merged dimension
    int[] mergedOf = new int[space.rank()];
    for (int a = 0; a < space.rank(); a++) {
      int d = space.dim(a);
      if (d == 1) {
        mergedOf[a] = Math.max(0, dims.size() - 1);
        continue;
      }
      int outer = last.isEmpty() ? -1 : last.getLast();
      int axis = a;
      boolean merge = outer >= 0 && walks.stream().allMatch(w -> w.get(outer) == w.get(axis) * d);
      if (merge) {
        dims.set(dims.size() - 1, dims.getLast() * d);
        last.set(last.size() - 1, a);
      } else {
        dims.add(d);
        last.add(a);
      }
      mergedOf[a] = dims.size() - 1;
    }
    if (dims.isEmpty()) {
      dims.add(1);
      last.add(-1);
    }
    List<Region.Operand> operands = new ArrayList<>();
    for (int i = 0; i < reads.size(); i++) {
      operands.add(new Region.Operand(readTypes.get(i), pick(reads.get(i).strides(), last)));
    }
    List<Region.Output> outputs = new ArrayList<>();
    for (int i = 0; i < writes.size(); i++) {
      Expr e = writes.get(i);
      List<Long> s = pick(writeStrides.get(i), last);
      outputs.add(
          e.op() instanceof ReduceOp.Reduce r
              ? new Region.Reduction(
                  Region.Kind.valueOf(r.kind().name()), writeValues.get(i), e.dtype(), s)
              : new Region.Store(writeValues.get(i), e.dtype(), s));
    }
    List<Region.Instruction> indexed =
        code.stream()
            .map(i ->
                i instanceof Region.Index x
                    ? (Region.Instruction) new Region.Index(mergedOf[x.dim()], x.compute())
                    : i)
            .toList();
    Region region = new Region(dims, operands, indexed, outputs);
    List<Long> offsets = new ArrayList<>();
    for (int i = 0; i < reads.size(); i++) {
      offsets.add(reads.get(i).first() * readTypes.get(i).bytes());
    }
    return new Built(
        region, reads.stream().map(Access::memory).toList(), offsets, List.copyOf(writes));
  }

  private static List<Long> pick(List<Long> strides, List<Integer> axes) {
    return axes.stream().map(a -> a < 0 ? 0L : strides.get(a)).toList();
  }
}
