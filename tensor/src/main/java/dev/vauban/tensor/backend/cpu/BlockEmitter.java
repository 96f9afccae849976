package dev.vauban.tensor.backend.cpu;

import dev.vauban.tensor.DType;
import dev.vauban.tensor.ScalarFn;
import dev.vauban.tensor.backend.cpu.Bytecode.Slot;
import dev.vauban.tensor.backend.cpu.LaneCode.Form;
import dev.vauban.tensor.backend.cpu.LaneCode.Place;
import dev.vauban.tensor.backend.cpu.LaneCode.Reduced;
import dev.vauban.tensor.backend.cpu.LaneCode.Target;
import dev.vauban.tensor.backend.cpu.LaneCode.Value;
import dev.vauban.tensor.backend.cpu.LoopPlan.Loop;
import dev.vauban.tensor.backend.cpu.LoopPlan.Span;
import dev.vauban.tensor.backend.fusion.Region.Apply;
import dev.vauban.tensor.backend.fusion.Region.Constant;
import dev.vauban.tensor.backend.fusion.Region.Convert;
import dev.vauban.tensor.backend.fusion.Region.Index;
import dev.vauban.tensor.backend.fusion.Region.Load;
import dev.vauban.tensor.backend.fusion.Region.Reduction;
import dev.vauban.tensor.backend.fusion.Region.Store;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * Emits one block: the inner loops of a nest and the scalar code in them. Every value is computed
 * in the outermost loop that it depends on.
 */
final class BlockEmitter {
  private final Nest nest;
  private final LoopPlan plan;
  private final Bytecode code;
  private final LaneCode lanes;

  /** Addresses at the current point of the loops that have been entered; null if never read. */
  private Slot[] pointers;

  /** The current index of each dimension; null before its loop. */
  private final Slot[] indices;

  /** The part of the outermost loop to run, or null for all of it. */
  private final Slot start;

  private final Slot end;

  /** Per instruction: one value, or one for each vector of the current span. */
  private final Value[][] values;

  /** Per output: accumulators of a reduction. */
  private final Slot[][] accumulators;

  BlockEmitter(
      Nest nest,
      LoopPlan plan,
      Bytecode code,
      LaneCode lanes,
      Slot[] pointers,
      Slot[] indices,
      Slot start,
      Slot end) {
    this.nest = nest;
    this.plan = plan;
    this.code = code;
    this.lanes = lanes;
    this.pointers = pointers;
    this.indices = indices;
    this.start = start;
    this.end = end;
    this.values = new Value[nest.region().code().size()][];
    this.accumulators = new Slot[nest.region().outputs().size()][];
  }

  /**
   * Emits the block.
   *
   * @param span what the vector dimension holds here, or null if its loop is inside the block
   */
  void emit(Span span) {
    if (plan.vectorDim() >= 0 && indices[plan.vectorDim()] == null) {
      code.push(0);
      indices[plan.vectorDim()] = code.keep(int.class);
    }
    limit(span);
    for (int level = -1; level < plan.blockLevel() - 1; level++) {
      values(level, span);
    }
    enter(plan.blockLevel() - 1, span);
  }

  /** What happens in the body of the loop {@code level}. */
  private void enter(int level, Span span) {
    boolean leaf = level + 1 == plan.loops().size();
    boolean reduces = level + 1 == Math.max(plan.reducedLevel(), plan.blockLevel());
    if (reduces) {
      begin(span);
    }
    if (leaf) {
      repeatedValues(level);
      for (int u = 0; u < span.vectors(); u++) {
        int mark = code.mark();
        laneValues(level, u, span);
        outputs(u, span);
        code.release(mark);
      }
    } else {
      values(level, span);
      loop(level + 1, span);
    }
    if (reduces) {
      finish(span);
    }
  }

  private void loop(int level, Span span) {
    Loop loop = plan.loops().get(level);
    boolean isPart = start != null && level == plan.blockLevel();
    int mark = code.mark();
    Slot i = code.slot(int.class);
    Slot before = indices[loop.dim()];
    indices[loop.dim()] = i;
    boolean vectors = loop.dim() == plan.vectorDim();
    Runnable pushStart = () -> pushBound(isPart, start, 0);
    Runnable pushEnd = () -> pushBound(isPart, end, loop.end());
    code.loop(
        i, loop.step(), pushStart, pushEnd, () -> body(level, i, vectors ? plan.main() : span));
    if (vectors && plan.rest() != null) {
      Runnable rest =
          () -> {
            code.push(loop.end());
            code.store(i);
            body(level, i, plan.rest());
          };
      if (isPart) {
        code.ifEqual(pushEnd, () -> code.push(loop.end()), rest);
      } else {
        rest.run();
      }
    }
    indices[loop.dim()] = before;
    code.release(mark);
  }

  private void pushBound(boolean isPart, Slot part, int whole) {
    if (isPart) {
      code.load(part);
    } else {
      code.push(whole);
    }
  }

  private void body(int level, Slot i, Span span) {
    int mark = code.mark();
    Slot[] before = pointers;
    int dim = plan.loops().get(level).dim();
    pointers = nest.advance(code, pointers, dim, i);
    if (dim == plan.vectorDim()) {
      limit(span);
    }
    enter(level, span);
    pointers = before;
    code.release(mark);
  }

  private void limit(Span span) {
    if (span != null && span.lastCount() == LaneCode.LIMITED) {
      Set<DType> types = EnumSet.of(DType.F32, DType.I32); // accumulators, whatever is stored
      LoopPlan.types(nest.region()).forEach(types::add);
      int dim = plan.vectorDim();
      lanes.limit(indices[dim], nest.region().dims().get(dim), types);
    }
  }

  // ---- values

  private void values(int level, Span span) {
    repeatedValues(level);
    if (span != null) {
      for (int u = 0; u < span.vectors(); u++) {
        laneValues(level, u, span);
      }
    }
  }

  /** Values of a loop that are the same along the vector dimension. */
  private void repeatedValues(int level) {
    for (int v = 0; v < values.length; v++) {
      if (nest.isLive(v) && level(v) == level && !alongVectors(v)) {
        values[v] = new Value[] {compute(v, 0, null)};
      }
    }
  }

  private void laneValues(int level, int u, Span span) {
    for (int v = 0; v < values.length; v++) {
      if (nest.isLive(v) && level(v) == level && alongVectors(v)) {
        if (u == 0) {
          values[v] = new Value[span.vectors()];
        }
        values[v][u] = compute(v, u, span);
      }
    }
  }

  private int level(int value) {
    int level = -1;
    for (int dim = 0; dim < nest.region().dims().size(); dim++) {
      if (nest.dependsOn(value, dim)) {
        level = Math.max(level, plan.levelOf(dim));
      }
    }
    return level;
  }

  private boolean alongVectors(int value) {
    return plan.vectorDim() >= 0 && nest.dependsOn(value, plan.vectorDim());
  }

  private Value value(int v, int u) {
    return values[v].length == 1 ? values[v][0] : values[v][u];
  }

  private Value compute(int v, int u, Span span) {
    return switch (nest.region().code().get(v)) {
      case Load load -> {
        DType dtype = nest.region().operands().get(load.operand()).dtype();
        Slot pointer = pointers[load.operand()];
        yield span == null
            ? lanes.loadRepeated(new Place(dtype, pointer, 0, 1), load.compute())
            : lanes.load(place(dtype, pointer, u, span), load.compute());
      }
      case Constant constant -> lanes.constant(constant.value(), constant.compute());
      case Index index -> {
        Slot i = indices[index.dim()];
        int offset = nest.part().from(index.dim());
        yield span == null
            ? lanes.index(i, offset, index.compute())
            : lanes.laneIndex(i, offset + u * lanes.lanes(), index.compute());
      }
      case Apply apply -> {
        List<Value> args = new ArrayList<>();
        for (int arg : apply.args()) {
          args.add(value(arg, u));
        }
        yield lanes.apply(apply.fn(), args, apply.compute(), form(v));
      }
      case Convert convert -> lanes.convert(value(convert.arg(), u), convert.compute());
    };
  }

  /** How a comparison is read: as the mask of a selection, as numbers, or both. */
  private Form form(int v) {
    boolean mask = false;
    boolean number = nest.region().outputs().stream().anyMatch(o -> o.value() == v);
    for (int user = v + 1; user < values.length; user++) {
      if (!nest.isLive(user)) {
        continue;
      }
      switch (nest.region().code().get(user)) {
        case Apply apply -> {
          for (int i = 0; i < apply.args().size(); i++) {
            if (apply.args().get(i) == v) {
              boolean selects = apply.fn() == ScalarFn.SELECT && i == 0;
              mask |= selects;
              number |= !selects;
            }
          }
        }
        case Convert convert -> number |= convert.arg() == v;
        case Load load -> {}
        case Constant constant -> {}
        case Index index -> {}
      }
    }
    return mask ? number ? Form.BOTH : Form.MASK : Form.NUMBER;
  }

  private Place place(DType dtype, Slot pointer, int u, Span span) {
    return new Place(dtype, pointer, (long) u * lanes.lanes() * dtype.bytes(), count(u, span));
  }

  private int count(int u, Span span) {
    return u == span.vectors() - 1 ? span.lastCount() : lanes.lanes();
  }

  // ---- outputs

  private Slot outputPointer(int output) {
    return pointers[nest.region().operands().size() + output];
  }

  private void outputs(int u, Span span) {
    for (int o = 0; o < accumulators.length; o++) {
      switch (nest.region().outputs().get(o)) {
        case Store store ->
            lanes.store(value(store.value(), u), place(store.dtype(), outputPointer(o), u, span));
        case Reduction r -> {
          Slot accumulator = accumulators[o][u % accumulators[o].length];
          lanes.accumulate(r.kind(), accumulator, value(r.value(), u), count(u, span));
        }
      }
    }
  }

  private boolean reducesVectors(Reduction r) {
    return plan.vectorDim() >= 0 && r.strides().get(plan.vectorDim()) == 0;
  }

  private void begin(Span span) {
    for (int o = 0; o < accumulators.length; o++) {
      if (nest.region().outputs().get(o) instanceof Reduction r) {
        accumulators[o] = new Slot[(span == null ? plan.main() : span).vectors()];
        for (int u = 0; u < accumulators[o].length; u++) {
          accumulators[o][u] = lanes.neutral(r.kind(), computeType(r));
        }
      }
    }
  }

  private void finish(Span span) {
    boolean partial = plan.partialSums() || nest.continues();
    Target target = partial ? Target.PARTIAL : Target.FRESH;
    for (int o = 0; o < accumulators.length; o++) {
      if (nest.region().outputs().get(o) instanceof Reduction r) {
        Reduced reduced = new Reduced(r.kind(), computeType(r), target);
        Slot pointer = outputPointer(o);
        int mark = code.mark();
        if (reducesVectors(r)) {
          Place place = new Place(r.dtype(), pointer, 0, 1);
          lanes.finishLanes(reduced, Arrays.asList(accumulators[o]), place);
        } else {
          for (int u = 0; u < accumulators[o].length; u++) {
            lanes.finish(reduced, accumulators[o][u], place(r.dtype(), pointer, u, span));
          }
        }
        code.release(mark);
      }
    }
  }

  private DType computeType(Reduction r) {
    return nest.region().code().get(r.value()).compute();
  }
}
