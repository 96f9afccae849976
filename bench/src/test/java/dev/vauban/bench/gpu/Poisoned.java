package dev.vauban.bench.gpu;

import dev.vauban.tensor.Device;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import java.util.LinkedHashMap;
import java.util.Map;

/** Runs of programs into outputs that are full of what cannot be a result. */
final class Poisoned {
  private static final int WRONG = 0x5EED_BAD0;

  private Poisoned() {}

  /**
   * The outputs by path: of the second run of a plan, into outputs that were poisoned before each.
   *
   * @throws IllegalStateException if the two runs differ
   */
  static Map<String, double[]> run(Device device, Program program, Map<String, double[]> inputs) {
    try (Scope scope = Scope.open();
        Plan plan = device.compile(program)) {
      Tree<Tensor> in =
          program.inputs().mapPaths((path, type) -> scope.tensor(type).set(inputs.get(path)));
      Tree<Tensor> out = scope.tensors(program.outputs());
      Plan.Bound bound = plan.bind(in, out);
      Map<String, double[]> first = once(bound, out);
      Map<String, double[]> second = once(bound, out);
      first.forEach((path, values) -> {
        if (!java.util.Arrays.equals(values, second.get(path))) {
          throw new IllegalStateException(path + " differs between two runs on the same inputs");
        }
      });
      return second;
    }
  }

  private static Map<String, double[]> once(Plan.Bound bound, Tree<Tensor> out) {
    out.leaves().forEach(Poisoned::poison);
    bound.run();
    Map<String, double[]> values = new LinkedHashMap<>();
    out.paths().forEach((path, t) -> values.put(path, t.toDoubles()));
    return values;
  }

  private static void poison(Tensor t) {
    double poison =
        switch (t.type().dtype()) {
          case F32, F64, BF16 -> Double.NaN;
          case I32 -> WRONG;
          case U8 -> 0xA5;
        };
    for (long i = 0; i < t.size(); i++) {
      t.set(i, poison);
    }
  }
}
