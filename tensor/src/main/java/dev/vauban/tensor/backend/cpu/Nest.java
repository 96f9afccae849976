package dev.vauban.tensor.backend.cpu;

import dev.vauban.tensor.backend.cpu.Bytecode.Slot;
import dev.vauban.tensor.backend.fusion.Region;
import dev.vauban.tensor.backend.fusion.Region.Apply;
import dev.vauban.tensor.backend.fusion.Region.Constant;
import dev.vauban.tensor.backend.fusion.Region.Convert;
import dev.vauban.tensor.backend.fusion.Region.Index;
import dev.vauban.tensor.backend.fusion.Region.Instruction;
import dev.vauban.tensor.backend.fusion.Region.Load;
import dev.vauban.tensor.backend.fusion.Region.Output;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/**
 * A region, or the part of one that is computed in one pass, with what its values depend on.
 *
 * @param region the pass: all operands and code of the whole, some of its outputs
 * @param outputAddresses for each output, where {@link RegionKernel#run} finds its address
 * @param dependencies for each value, the dimensions along which it changes
 * @param live values that reach an output
 * @param part which part of the iteration space this is
 */
record Nest(
    Region region,
    List<Integer> outputAddresses,
    boolean[][] dependencies,
    boolean[] live,
    Part part) {

  /** Where a space that has been cut along a dimension begins. */
  record Part(int dim, int begin) {
    static final Part ALL = new Part(0, 0);

    /** The index of the original space at which a dimension begins. */
    int from(int d) {
      return d == dim ? begin : 0;
    }
  }

  static Nest of(Region region, List<Integer> outputAddresses) {
    return of(region, outputAddresses, Part.ALL);
  }

  private static Nest of(Region region, List<Integer> outputAddresses, Part part) {
    List<Instruction> code = region.code();
    boolean[][] dependencies = new boolean[code.size()][region.dims().size()];
    for (int v = 0; v < dependencies.length; v++) {
      switch (code.get(v)) {
        case Load load -> {
          List<Long> strides = region.operands().get(load.operand()).strides();
          for (int dim = 0; dim < strides.size(); dim++) {
            dependencies[v][dim] = strides.get(dim) != 0;
          }
        }
        case Constant constant -> {}
        case Index index -> dependencies[v][index.dim()] = true;
        case Apply apply -> apply.args().forEach(mergeInto(dependencies, v));
        case Convert convert -> mergeInto(dependencies, v).accept(convert.arg());
      }
    }
    boolean[] live = new boolean[code.size()];
    for (Output output : region.outputs()) {
      live[output.value()] = true;
    }
    for (int v = code.size() - 1; v >= 0; v--) {
      if (live[v] && code.get(v) instanceof Apply apply) {
        apply.args().forEach(arg -> live[arg] = true);
      } else if (live[v] && code.get(v) instanceof Convert convert) {
        live[convert.arg()] = true;
      }
    }
    return new Nest(region, List.copyOf(outputAddresses), dependencies, live, part);
  }

  private static Consumer<Integer> mergeInto(boolean[][] dependencies, int v) {
    return arg -> {
      for (int dim = 0; dim < dependencies[v].length; dim++) {
        dependencies[v][dim] |= dependencies[arg][dim];
      }
    };
  }

  /** The points whose index along a dimension lies in [begin, end). */
  Nest part(int dim, int begin, int end) {
    List<Integer> dims = new ArrayList<>(region.dims());
    dims.set(dim, end - begin);
    Region cut = new Region(dims, region.operands(), region.code(), region.outputs());
    return of(cut, outputAddresses, new Part(dim, begin));
  }

  /** True if the reductions of this part complete what an earlier part began. */
  boolean continues() {
    return part.begin > 0 && LoopPlan.isReduced(region, part.dim);
  }

  boolean dependsOn(int value, int dim) {
    return dependencies[value][dim];
  }

  boolean isLive(int value) {
    return live[value];
  }

  /** Arrays of the pass: operands, then outputs. */
  int arrays() {
    return region.operands().size() + region.outputs().size();
  }

  /** Where {@link RegionKernel#run} finds the address of an array, or -1 if it is not used. */
  int address(int array) {
    int operands = region.operands().size();
    if (array >= operands) {
      return outputAddresses.get(array - operands);
    }
    for (int v = 0; v < live.length; v++) {
      if (live[v] && region.code().get(v) instanceof Load load && load.operand() == array) {
        return array;
      }
    }
    return -1;
  }

  /** The pointers at index {@code i} of a dimension, given those at its beginning. */
  Slot[] advance(Bytecode code, Slot[] pointers, int dim, Slot i) {
    Slot[] advanced = Arrays.copyOf(pointers, pointers.length);
    for (int array = 0; array < pointers.length; array++) {
      long bytes = strideBytes(array, dim);
      if (pointers[array] != null && bytes != 0) {
        code.load(pointers[array]);
        code.addScaled(i, bytes);
        advanced[array] = code.keep(long.class);
      }
    }
    return advanced;
  }

  /** Bytes from an array's address to the first point of this part. */
  long offset(int array) {
    return part.begin * strideBytes(array, part.dim);
  }

  private long strideBytes(int array, int dim) {
    int operands = region.operands().size();
    if (array < operands) {
      Region.Operand operand = region.operands().get(array);
      return operand.strides().get(dim) * operand.dtype().bytes();
    }
    Output output = region.outputs().get(array - operands);
    return output.strides().get(dim) * output.dtype().bytes();
  }

  /** The pass without code and operands that do not reach its outputs, for plans and costs. */
  Region essential() {
    List<Instruction> code = new ArrayList<>();
    for (int v = 0; v < live.length; v++) {
      code.add(live[v] ? region.code().get(v) : new Constant(0, region.code().get(v).compute()));
    }
    return new Region(region.dims(), region.operands(), code, region.outputs());
  }
}
