package dev.vauban.tensor.backend.cpu;

import dev.vauban.tensor.DType;
import dev.vauban.tensor.ScalarFn;
import dev.vauban.tensor.backend.fusion.Region;
import dev.vauban.tensor.backend.fusion.Region.Apply;
import dev.vauban.tensor.backend.fusion.Region.Instruction;
import java.lang.invoke.MethodHandles;
import java.lang.reflect.InvocationTargetException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Compiles regions to hidden classes over the Vector API, one class for all equal regions of the
 * process.
 *
 * <p>A kernel gives the same bits on every run, whether interpreted or compiled. An output may
 * share its memory with an operand only if it is a {@link Region.Store} of the operand's type and
 * strides. Stores to bf16 round to nearest, ties to even; stores of floats to integer types
 * truncate; stores to u8 limit to [0, 255]; NaN becomes 0.
 */
final class RegionCompiler {
  /** The {@link #cost(Region)} up to which a region runs in vectors. */
  static final int MAX_COST = LoopPlan.BLOCK_COST;

  private static final Map<Region, RegionKernel> KERNELS = new ConcurrentHashMap<>();

  private RegionCompiler() {}

  /**
   * The kernel of a region.
   *
   * @throws RegionTooLargeException if the region must be split into smaller ones
   */
  static RegionKernel compile(Region region) {
    return KERNELS.computeIfAbsent(region, r -> compile(r, VectorWidth.chosen()));
  }

  /** The kernel for vectors of a given width, compiled anew. */
  static RegionKernel compile(Region region, VectorWidth width) {
    check(region);
    byte[] classFile = new RegionEmitter(region, width).emit();
    try {
      return (RegionKernel)
          MethodHandles.lookup()
              .defineHiddenClass(classFile, true)
              .lookupClass()
              .getDeclaredConstructor()
              .newInstance();
    } catch (IllegalAccessException
        | InstantiationException
        | NoSuchMethodException
        | InvocationTargetException e) {
      throw new AssertionError(e);
    }
  }

  /**
   * Operations that one vector of points takes, roughly: 1 for an addition, 25 for an exponential.
   * Regions above {@link #MAX_COST} run right but without vectors: split them.
   */
  static int cost(Region region) {
    return LoopPlan.cost(region);
  }

  /** What a function adds to {@link #cost(Region)}. */
  static int cost(ScalarFn fn) {
    return LoopPlan.cost(fn);
  }

  private static void check(Region region) {
    for (Instruction instruction : region.code()) {
      DType compute = instruction.compute();
      if (compute == DType.BF16 || compute == DType.U8) {
        throw new IllegalArgumentException(compute + " values are computed in F32 or I32");
      }
      if (instruction instanceof Apply apply && compute == DType.I32 && !apply.fn().onIntegers()) {
        throw new IllegalArgumentException(apply.fn() + " is not defined on I32");
      }
    }
  }
}
