package dev.vauban.tensor.backend.cpu;

import dev.vauban.tensor.DType;
import dev.vauban.tensor.ScalarFn;
import dev.vauban.tensor.backend.fusion.Region;
import dev.vauban.tensor.backend.fusion.Region.Apply;
import dev.vauban.tensor.backend.fusion.Region.Constant;
import dev.vauban.tensor.backend.fusion.Region.Convert;
import dev.vauban.tensor.backend.fusion.Region.Index;
import dev.vauban.tensor.backend.fusion.Region.Load;
import dev.vauban.tensor.backend.fusion.Region.Operand;
import dev.vauban.tensor.backend.fusion.Region.Output;
import dev.vauban.tensor.backend.fusion.Region.Reduction;
import dev.vauban.tensor.backend.fusion.Region.Store;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What a region means: point after point, in double, each value rounded to its type. Elements are
 * addressed by their offset from the array's first point.
 */
final class RegionInterpreter {

  /** Reads element {@code offset} of operand {@code operand}. */
  interface Memory {
    double read(int operand, long offset);
  }

  /**
   * An element of an output.
   *
   * @param value what it holds, before it is rounded to the stored type
   * @param magnitude sum of the absolute values that were combined into it
   * @param count how many values were combined
   */
  record Element(double value, double magnitude, long count) {}

  private final Region region;
  private final Memory memory;
  private final long[] point;

  RegionInterpreter(Region region, Memory memory) {
    this.region = region;
    this.memory = memory;
    this.point = new long[region.dims().size()];
  }

  /** For each output, its elements by offset. */
  List<Map<Long, Element>> run() {
    List<Map<Long, Element>> outputs =
        region.outputs().stream()
            .map(o -> (Map<Long, Element>) new HashMap<Long, Element>())
            .toList();
    Arrays.fill(point, 0);
    for (long p = 0; p < region.points(); p++) {
      double[] values = values();
      for (int o = 0; o < outputs.size(); o++) {
        Output output = region.outputs().get(o);
        double x = values[output.value()];
        long offset = offset(output.strides());
        Element before = outputs.get(o).get(offset);
        if (before != null && output instanceof Store) {
          throw new IllegalArgumentException("an element is stored twice");
        }
        outputs
            .get(o)
            .put(
                offset,
                before == null
                    ? new Element(x, Math.abs(x), 1)
                    : combine((Reduction) output, before, x));
      }
      next();
    }
    return outputs;
  }

  private Element combine(Reduction r, Element before, double x) {
    double value =
        switch (r.kind()) {
          case SUM -> before.value + x;
          case MAX -> Math.max(before.value, x);
          case MIN -> Math.min(before.value, x);
        };
    if (region.code().get(r.value()).compute() == DType.I32) {
      value = (int) (long) value;
    }
    return new Element(value, before.magnitude + Math.abs(x), before.count + 1);
  }

  private void next() {
    for (int d = point.length - 1; d >= 0; d--) {
      if (++point[d] < region.dims().get(d)) {
        return;
      }
      point[d] = 0;
    }
  }

  private long offset(List<Long> strides) {
    long offset = 0;
    for (int d = 0; d < point.length; d++) {
      offset += point[d] * strides.get(d);
    }
    return offset;
  }

  private double[] values() {
    double[] values = new double[region.code().size()];
    for (int v = 0; v < values.length; v++) {
      values[v] =
          switch (region.code().get(v)) {
            case Load load -> {
              Operand operand = region.operands().get(load.operand());
              yield rounded(memory.read(load.operand(), offset(operand.strides())), load.compute());
            }
            case Constant c -> rounded(c.value(), c.compute());
            case Index i -> rounded(point[i.dim()], i.compute());
            case Convert c -> rounded(values[c.arg()], c.compute());
            case Apply a -> apply(a, values);
          };
    }
    return values;
  }

  private static double apply(Apply apply, double[] values) {
    double[] args = new double[3];
    for (int i = 0; i < apply.args().size(); i++) {
      args[i] = values[apply.args().get(i)];
    }
    if (apply.compute() == DType.I32 && apply.fn() == ScalarFn.MUL) {
      return (int) args[0] * (int) args[1];
    }
    double y = apply.fn().apply(args[0], args[1], args[2]);
    return apply.compute() == DType.I32 ? (int) (long) y : rounded(y, apply.compute());
  }

  private static double rounded(double x, DType compute) {
    return switch (compute) {
      case F32 -> (float) x;
      case I32 -> (int) x;
      default -> x;
    };
  }
}
