package dev.vauban.tensor.backend.cpu;

import dev.vauban.tensor.DType;
import dev.vauban.tensor.ScalarFn;
import dev.vauban.tensor.backend.fusion.Region;
import dev.vauban.tensor.backend.fusion.Region.Apply;
import dev.vauban.tensor.backend.fusion.Region.Constant;
import dev.vauban.tensor.backend.fusion.Region.Reduction;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * How the loops of one nest are ordered, vectorised, unrolled and cut into methods.
 *
 * <p>Dimensions that are kept come first and dimensions that are reduced last, so that accumulators
 * stay in registers over whole inner loops. The dimension that vectors run along is the innermost
 * of its kind: innermost of all if it is reduced or nothing is, just outside the reduced loops
 * otherwise (a block of columns is then summed over all rows).
 *
 * <p>The inner loops are a method of their own, the block, which the outer loops call with at most
 * about {@link #BLOCK_STEPS} steps of work: HotSpot compiles a method that is called often the
 * normal way, while a long loop in a method called once would first be compiled with its entry in
 * the middle, where loop-carried vectors are boxed. A sum over more steps than a block has is
 * completed in memory, which also bounds its rounding error: partial sums are short.
 *
 * @param vectorDim the dimension along which vectors run, or -1 for scalar code
 * @param loops outermost first; without {@code vectorDim} if all of it is unrolled
 * @param main what one step of the vector loop, or the unrolled dimension, holds
 * @param rest what remains after the vector loop, or null
 * @param blockLevel number of loops outside the block
 * @param tile steps of the block's outermost loop in one call, or 0 for all
 * @param reducedLevel number of loops outside the accumulators
 */
record LoopPlan(
    int vectorDim,
    List<Loop> loops,
    Span main,
    Span rest,
    int blockLevel,
    int tile,
    int reducedLevel) {

  /** Steps of the loops inside one call of a block (see above). */
  static final int BLOCK_STEPS = 40;

  /** Operations in a loop's body up to which it is unrolled; the processor overlaps longer ones. */
  static final int UNROLL_COST = 60;

  /**
   * The {@link #cost} of the code in a block. HotSpot's first compiler expands each vector
   * operation into some fifty instructions and runs out of virtual registers from about 220 on;
   * then the second one never gets to see the method.
   */
  static final int BLOCK_COST = 170;

  /** What loading or storing part of a vector costs more: the first compiler expands it most. */
  private static final int MASK_COST = 15;

  /**
   * A loop over a dimension.
   *
   * @param end exclusive end, a multiple of step
   */
  record Loop(int dim, int step, int end) {}

  /**
   * Vectors that are computed side by side.
   *
   * @param vectors how many
   * @param lastCount elements in the last one, or {@link LaneCode#LIMITED}
   */
  record Span(int vectors, int lastCount) {}

  /**
   * A place where a nest is cut in two.
   *
   * @param at size of the first part along the dimension
   */
  record Cut(int dim, int at) {}

  /**
   * Where to cut a nest so that vectors cover one part: after the last whole vector, if parts of
   * vectors would take too much code. Null if it need not be cut, or cutting does not help.
   */
  static Cut cut(Region nest, VectorWidth width) {
    int dim = vectorDim(nest, width);
    if (dim < 0 || Vectors.of(nest, dim, width) != null) {
      return null;
    }
    int whole = nest.dims().get(dim) / width.lanes() * width.lanes();
    boolean exact = !isReduced(nest, dim) || !hasNarrowReductions(nest);
    return whole > 0 && cost(nest) <= BLOCK_COST && exact ? new Cut(dim, whole) : null;
  }

  /** The plan for a nest whose reductions all reduce the same dimensions. */
  static LoopPlan of(Region nest, VectorWidth width) {
    int dim = vectorDim(nest, width);
    Vectors vectors = dim < 0 ? null : Vectors.of(nest, dim, width);
    int vectorDim = vectors == null ? -1 : dim;
    List<Integer> kept = new ArrayList<>();
    List<Integer> reduced = new ArrayList<>();
    for (int d = 0; d < nest.dims().size(); d++) {
      if (d != vectorDim) {
        (isReduced(nest, d) ? reduced : kept).add(d);
      }
    }
    if (vectorDim < 0) {
      return blocks(nest, -1, loops(nest, kept, reduced), new Span(1, 1), null, kept.size());
    }
    List<Loop> loops = new ArrayList<>(loops(nest, kept, reduced));
    int reducedLevel = kept.size();
    if (vectors.loop != null) {
      boolean outside = !reduced.isEmpty() && !isReduced(nest, vectorDim);
      loops.add(outside ? kept.size() : loops.size(), vectors.loop);
      if (!isReduced(nest, vectorDim)) {
        reducedLevel++;
      }
    }
    return blocks(nest, vectorDim, loops, vectors.main, vectors.rest, reducedLevel);
  }

  private static List<Loop> loops(Region nest, List<Integer> kept, List<Integer> reduced) {
    return Stream.concat(kept.stream(), reduced.stream())
        .map(d -> new Loop(d, 1, nest.dims().get(d)))
        .toList();
  }

  /** The types of all arrays. */
  static Stream<DType> types(Region nest) {
    return Stream.concat(
        nest.operands().stream().map(Region.Operand::dtype),
        nest.outputs().stream().map(Region.Output::dtype));
  }

  /** True if the nest's reductions combine along the dimension. */
  static boolean isReduced(Region nest, int dim) {
    return nest.outputs().stream()
        .anyMatch(o -> o instanceof Reduction r && r.strides().get(dim) == 0);
  }

  /** The vectorisable dimension that fills its vectors best, the innermost of equals; or -1. */
  private static int vectorDim(Region nest, VectorWidth width) {
    int best = -1;
    double bestFill = 0;
    for (int d = nest.dims().size() - 1; d >= 0; d--) {
      int size = nest.dims().get(d);
      int vectors = (size + width.lanes() - 1) / width.lanes();
      double fill = (double) size / vectors / width.lanes();
      if (vectorisable(nest, d, width) && fill > bestFill * 1.5) {
        best = d;
        bestFill = fill;
      }
    }
    return best;
  }

  private static boolean vectorisable(Region nest, int dim, VectorWidth width) {
    boolean operands =
        nest.operands().stream()
            .allMatch(o -> width.holds(o.dtype()) && isUnit(o.strides().get(dim)));
    boolean outputs =
        nest.outputs().stream()
            .allMatch(o ->
                width.holds(o.dtype())
                    && (o instanceof Reduction
                        ? isUnit(o.strides().get(dim))
                        : o.strides().get(dim) == 1 || nest.dims().get(dim) == 1));
    return operands
        && outputs
        && nest.code().stream().allMatch(i -> i.compute() != DType.F64 && hasVectorForm(nest, i));
  }

  private static boolean isUnit(long stride) {
    return stride == 0 || stride == 1;
  }

  private static boolean hasVectorForm(Region nest, Region.Instruction instruction) {
    if (!(instruction instanceof Apply apply)) {
      return true;
    }
    return switch (apply.fn()) {
      case SIN, COS -> false;
      case POW ->
          nest.code().get(apply.args().get(1)) instanceof Constant c
              && VectorCode.isSmallPower(c.value());
      default -> true;
    };
  }

  /** How the vector dimension is covered: unrolled whole, or a loop and a rest. */
  private record Vectors(Loop loop, Span main, Span rest) {

    /** Null if the code would be too much for one block. */
    static Vectors of(Region nest, int dim, VectorWidth width) {
      int lanes = width.lanes();
      int whole = nest.dims().get(dim) / lanes;
      int tail = nest.dims().get(dim) % lanes;
      int cost = cost(nest);
      if (cost > BLOCK_COST || tail > 0 && !hasMasks(nest, width)) {
        return null;
      }
      int masks = tail > 0 ? MASK_COST * accesses(nest, dim) : 0;
      int all = whole + (tail > 0 ? 1 : 0);
      int last = tail > 0 ? tail : lanes;
      int accumulators = (int) nest.outputs().stream().filter(Reduction.class::isInstance).count();
      int registers = lanes == 16 ? 16 : 8;
      if (all * cost + masks <= BLOCK_COST
          && (all == 1 || all <= 8 && all * accumulators <= registers)) {
        return new Vectors(null, new Span(all, last), null);
      }
      for (int unroll = 4; unroll >= 1; unroll /= 2) {
        int left = whole % unroll + (tail > 0 ? 1 : 0);
        int copies = unroll + left;
        boolean pays =
            unroll == 1 || copies * cost <= UNROLL_COST && unroll * accumulators <= registers;
        if (whole >= unroll && pays && copies * cost + masks <= BLOCK_COST) {
          return new Vectors(
              new Loop(dim, unroll * lanes, whole / unroll * unroll * lanes),
              new Span(unroll, lanes),
              left == 0 ? null : new Span(left, last));
        }
      }
      // One copy of the code, every vector masked though only the last needs it.
      return whole > 0 && cost + masks <= BLOCK_COST
          ? new Vectors(new Loop(dim, lanes, all * lanes), new Span(1, LaneCode.LIMITED), null)
          : null;
    }

    /** Loads and stores along the dimension. */
    private static int accesses(Region nest, int dim) {
      int loads = (int) nest.operands().stream().filter(o -> o.strides().get(dim) != 0).count();
      int accesses = loads;
      for (Region.Output output : nest.outputs()) {
        if (output.strides().get(dim) != 0) {
          accesses += output instanceof Reduction ? 2 : 1;
        }
      }
      return accesses;
    }

    private static boolean hasMasks(Region nest, VectorWidth width) {
      return types(nest).allMatch(width::hasMasks);
    }
  }

  private static LoopPlan blocks(
      Region nest, int vectorDim, List<Loop> loops, Span main, Span rest, int reducedLevel) {
    int level = loops.size();
    int steps = 1;
    int tile = 0;
    while (level > 0 && tile == 0) {
      Loop loop = loops.get(level - 1);
      int trips = loop.end / loop.step + (loop.dim == vectorDim && rest != null ? 1 : 0);
      if ((long) trips * steps > BLOCK_STEPS) {
        int most = Math.max(1, BLOCK_STEPS / steps);
        int parts = (trips + most - 1) / most;
        tile = (trips + parts - 1) / parts;
      }
      steps *= trips;
      level--;
    }
    // Completing a result in memory needs memory that holds partial results exactly.
    boolean inRegisters = hasNarrowReductions(nest);
    if (inRegisters && level >= reducedLevel) {
      level = reducedLevel;
      tile = 0;
    }
    return new LoopPlan(vectorDim, List.copyOf(loops), main, rest, level, tile, reducedLevel);
  }

  private static boolean hasNarrowReductions(Region nest) {
    return nest.outputs().stream()
        .anyMatch(
            o -> o instanceof Reduction r && r.dtype() != nest.code().get(r.value()).compute());
  }

  /** True if reductions are completed in memory by more than one block. */
  boolean partialSums() {
    return blockLevel > reducedLevel || blockLevel == reducedLevel && tile > 0;
  }

  /** The loop over a dimension, or -1 if it is unrolled whole. */
  int levelOf(int dim) {
    for (int level = 0; level < loops.size(); level++) {
      if (loops.get(level).dim == dim) {
        return level;
      }
    }
    return -1;
  }

  /** Rough number of operations that one vector of points needs. */
  static int cost(Region nest) {
    int cost = 0;
    for (Region.Instruction instruction : nest.code()) {
      cost += instruction instanceof Apply apply ? cost(apply.fn()) : 1;
    }
    for (Region.Operand operand : nest.operands()) {
      cost += operand.dtype().bytes() < 4 ? 5 : 2;
    }
    for (Region.Output output : nest.outputs()) {
      cost += output.dtype().bytes() < 4 ? 11 : 3;
    }
    return cost;
  }

  static int cost(ScalarFn fn) {
    return switch (fn) {
      case NEG, ABS, SQRT, ADD, SUB, MUL, DIV, MIN, MAX, LT, LE, EQ, NE, SELECT -> 1;
      case RSQRT, RECIPROCAL, RELU -> 2;
      case SIGN, CLAMP, POW -> 4;
      case FLOOR -> 12;
      case EXP, SIN, COS -> 25;
      case EXPM1, SIGMOID -> 30;
      case LOG, TANH -> 40;
      case LOG1P -> 45;
      case ERF -> 60;
    };
  }
}
