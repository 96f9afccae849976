package dev.vauban.tensor.backend.reference;

import dev.vauban.tensor.Binding;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import java.util.List;

/** The reference interpreter as a device. */
public final class ReferenceDevice implements Device {
  @Override
  public String name() {
    return "reference";
  }

  @Override
  public String description() {
    return "double-precision reference interpreter";
  }

  @Override
  public Plan compile(Program program) {
    return new Interpreted(program);
  }

  @Override
  public void close() {
    // Nothing is held.
  }

  private record Interpreted(Program program) implements Plan {
    @Override
    public Bound bind(Tree<Tensor> inputs, Tree<Tensor> outputs) {
      List<Tensor> in = Binding.check("input", program.inputs(), inputs);
      List<Tensor> out = Binding.check("output", program.outputs(), outputs);
      return () -> {
        List<double[]> results =
            Reference.evaluate(program.graph(), in.stream().map(Tensor::toDoubles).toList());
        for (int i = 0; i < out.size(); i++) {
          out.get(i).set(results.get(i));
        }
      };
    }

    @Override
    public long flops() {
      return 0;
    }

    @Override
    public long bytes() {
      return 0;
    }

    @Override
    public void close() {
      // Nothing is held.
    }

    @Override
    public String toString() {
      return program.toString();
    }
  }
}
