package dev.vauban.tensor.golden;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vauban.tensor.Device;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.backend.reference.Reference;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Running a program on numbers, by the reference in double precision or on a device. */
public final class Runs {
  private Runs() {}

  /** The outputs by path, computed in double precision. */
  public static Map<String, double[]> reference(Program program, Map<String, double[]> inputs) {
    List<double[]> arguments = new ArrayList<>();
    program.inputs().paths().keySet().forEach(path -> arguments.add(inputs.get(path)));
    List<double[]> results = Reference.evaluate(program.graph(), arguments);
    Map<String, double[]> out = new LinkedHashMap<>();
    int i = 0;
    for (String path : program.outputs().paths().keySet()) {
      out.put(path, results.get(i++));
    }
    return out;
  }

  /** The outputs by path, computed on a device in the program's element types. */
  public static Map<String, double[]> device(
      Device device, Program program, Map<String, double[]> inputs) {
    try (Scope scope = Scope.open();
        Plan plan = device.compile(program)) {
      Tree<Tensor> in =
          program.inputs().mapPaths((path, type) -> scope.tensor(type).set(inputs.get(path)));
      Map<String, double[]> out = new LinkedHashMap<>();
      plan.run(scope, in).paths().forEach((path, t) -> out.put(path, t.toDoubles()));
      return out;
    }
  }

  /**
   * Fails unless every element is within {@code tolerance} of the expected one, relative to that
   * element or to the largest of the array, whichever is larger.
   */
  public static void assertClose(
      String what, double[] actual, double[] expected, double tolerance) {
    assertThat(actual.length).as(what + ": number of elements").isEqualTo(expected.length);
    double scale = 0;
    for (double e : expected) {
      if (Double.isFinite(e)) {
        scale = Math.max(scale, Math.abs(e));
      }
    }
    // Where everything should vanish (bias gradients before batch norm), 1 is the scale.
    double allowed = tolerance * (scale < 1e-12 ? 1 : scale);
    for (int i = 0; i < expected.length; i++) {
      double error = Math.abs(actual[i] - expected[i]);
      boolean same =
          actual[i] == expected[i] || (actual[i] != actual[i] && expected[i] != expected[i]);
      if (!same && !(error <= allowed)) {
        throw new AssertionError(
            "%s: element %d is %s, not %s (error %.2e, allowed %.2e)"
                .formatted(what, i, actual[i], expected[i], error, allowed));
      }
    }
  }
}
