package dev.vauban.meta;

import dev.vauban.tensor.Device;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import java.util.ArrayList;
import java.util.List;

/**
 * A device that cannot bind, as one without memory left, and remembers what it gave: for tests that
 * nothing stays behind.
 */
final class FailingDevice implements Device {
  private final Device device = Device.open("reference");
  private final List<Plan> open = new ArrayList<>();
  private Tree<Tensor> bound;

  /** Plans that were not closed. */
  List<Plan> open() {
    return open;
  }

  /** The inputs that were last bound. */
  Tree<Tensor> bound() {
    return bound;
  }

  @Override
  public Plan compile(Program program) {
    Plan plan = new Watched(device.compile(program));
    open.add(plan);
    return plan;
  }

  private final class Watched implements Plan {
    private final Plan plan;

    Watched(Plan plan) {
      this.plan = plan;
    }

    @Override
    public Bound bind(Tree<Tensor> inputs, Tree<Tensor> outputs) {
      bound = inputs;
      throw new OutOfMemoryError("no memory to bind");
    }

    @Override
    public Program program() {
      return plan.program();
    }

    @Override
    public long flops() {
      return plan.flops();
    }

    @Override
    public long bytes() {
      return plan.bytes();
    }

    @Override
    public void close() {
      plan.close();
      open.remove(this);
    }
  }

  @Override
  public String name() {
    return device.name();
  }

  @Override
  public String description() {
    return device.description();
  }

  @Override
  public void close() {
    device.close();
  }
}
