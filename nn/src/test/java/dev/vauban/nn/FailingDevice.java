package dev.vauban.nn;

import dev.vauban.tensor.Device;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import java.util.ArrayList;
import java.util.List;

/**
 * A device that fails at one call, as one without memory left would, and remembers what it gave:
 * for tests that nothing stays behind.
 */
final class FailingDevice implements Device {
  /** What fails. */
  enum Call {
    /** The second program that is to be compiled. */
    SECOND_COMPILE,
    /** Binding a plan. */
    BIND
  }

  private final Device device = Device.open("reference");
  private final Call failing;
  private final List<Plan> open = new ArrayList<>();
  private int compiled;
  private Tree<Tensor> bound;

  FailingDevice(Call failing) {
    this.failing = failing;
  }

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
    if (++compiled == 2 && failing == Call.SECOND_COMPILE) {
      throw new OutOfMemoryError("no memory for another plan");
    }
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
      if (failing == Call.BIND) {
        throw new OutOfMemoryError("no memory to bind");
      }
      return plan.bind(inputs, outputs);
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
