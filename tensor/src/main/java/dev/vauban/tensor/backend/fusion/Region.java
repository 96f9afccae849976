package dev.vauban.tensor.backend.fusion;

import dev.vauban.tensor.DType;
import dev.vauban.tensor.ScalarFn;
import java.util.List;

/**
 * A fused loop nest: one pass over an iteration space that loads operands, evaluates scalar code
 * and stores or reduces results. It is what a backend makes a kernel of; two equal regions share
 * one kernel, so it holds no addresses and no names.
 *
 * <p>The iteration space is already canonical: no dimension of size 1 unless it is the only one,
 * and no two adjacent dimensions that every operand and output could walk as one.
 *
 * @param dims sizes of the iteration space, outermost first; rank 1 or more; none is 0
 * @param operands arrays that are read
 * @param code instructions in SSA form: instruction i defines value i and reads lower values only
 * @param outputs arrays that are written
 */
public record Region(
    List<Integer> dims, List<Operand> operands, List<Instruction> code, List<Output> outputs) {

  /**
   * An array that is read.
   *
   * @param dtype its stored type
   * @param strides in elements, one per dimension of the space; 0 repeats along that dimension; may
   *     be negative or larger than the inner sizes (transposed, sliced operands)
   */
  public record Operand(DType dtype, List<Long> strides) {}

  /** One scalar instruction. */
  public sealed interface Instruction permits Load, Constant, Index, Apply, Convert {
    /** The type in which the value is computed: F32, F64 or I32 (BF16 and U8 compute in F32). */
    DType compute();
  }

  /** The element of operand {@code operand} at the current point, converted to {@code compute}. */
  public record Load(int operand, DType compute) implements Instruction {}

  /** A constant. */
  public record Constant(double value, DType compute) implements Instruction {}

  /** The current index along dimension {@code dim} of the space. */
  public record Index(int dim, DType compute) implements Instruction {}

  /** {@code fn} of earlier values, all of type {@code compute}. */
  public record Apply(ScalarFn fn, List<Integer> args, DType compute) implements Instruction {}

  /**
   * An earlier value converted: float to integer truncates towards zero and saturates, NaN gives 0.
   */
  public record Convert(int arg, DType compute) implements Instruction {}

  /** An array that is written. */
  public sealed interface Output permits Store, Reduction {
    /** The value that is stored or combined. */
    int value();

    /** The stored type. */
    DType dtype();

    /** Strides in elements, one per dimension of the space. */
    List<Long> strides();
  }

  /** Every point stores {@code value}; each element is written once. */
  public record Store(int value, DType dtype, List<Long> strides) implements Output {}

  /**
   * Points that share an output element are combined; strides are 0 exactly along the reduced
   * dimensions. The kernel initialises the output itself.
   */
  public record Reduction(Kind kind, int value, DType dtype, List<Long> strides)
      implements Output {}

  /** How a reduction combines values. */
  public enum Kind {
    SUM,
    MAX,
    MIN
  }

  /** Number of points. */
  public long points() {
    return dims.stream().mapToLong(Integer::longValue).reduce(1, Math::multiplyExact);
  }

  /** One operation per point and instruction that computes. */
  public long flops() {
    long n =
        code.stream().filter(i -> i instanceof Apply).count()
            + outputs.stream().filter(o -> o instanceof Reduction).count();
    return n * points();
  }
}
