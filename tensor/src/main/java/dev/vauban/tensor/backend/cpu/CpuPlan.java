package dev.vauban.tensor.backend.cpu;

import dev.vauban.tensor.Binding;
import dev.vauban.tensor.ClosedException;
import dev.vauban.tensor.Passes;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.ShapeException;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** A program compiled for the CPU: one slab, one top-level frame. */
final class CpuPlan implements Plan {
  private final Program program;
  private final Arena arena = Arena.ofShared();
  private final Code code;
  private final Frame frame;
  private boolean closed;

  CpuPlan(Program program, Context context) {
    this.program = program;
    this.code =
        new Lowering(context, arena, Lowering.Place.OUTSIDE)
            .lower(Passes.optimise(program.graph()));
    MemorySegment slab = arena.allocate(Math.max(code.slabBytes(), 1), 64);
    this.frame = new Frame(code, slab.address(), 0, context);
  }

  @Override
  public Program program() {
    return program;
  }

  @Override
  public Bound bind(Tree<Tensor> inputs, Tree<Tensor> outputs) {
    List<Tensor> in = Binding.check("input", program.inputs(), inputs);
    List<Tensor> out = Binding.check("output", program.outputs(), outputs);
    for (Tensor o : out) {
      for (Tensor i : in) {
        if (overlap(i.segment(), o.segment())) {
          throw new ShapeException("an output shares memory with an input (" + o.type() + ")");
        }
      }
    }
    return new Running(in.toArray(Tensor[]::new), out.toArray(Tensor[]::new));
  }

  private static boolean overlap(MemorySegment a, MemorySegment b) {
    return a.byteSize() > 0
        && b.byteSize() > 0
        && a.address() < b.address() + b.byteSize()
        && b.address() < a.address() + a.byteSize();
  }

  private final class Running implements Bound {
    private final Tensor[] inputs;
    private final Tensor[] outputs;

    Running(Tensor[] inputs, Tensor[] outputs) {
      this.inputs = inputs;
      this.outputs = outputs;
    }

    @Override
    public void run() {
      synchronized (CpuPlan.this) {
        if (closed) {
          throw new ClosedException("the plan is closed");
        }
        int[] params = code.params();
        for (int i = 0; i < inputs.length; i++) {
          long address = inputs[i].segment().address(); // also checks that the scope is open
          if (params[i] >= 0) {
            frame.addresses[params[i]] = address;
          }
        }
        int[] results = code.results();
        for (int i = 0; i < outputs.length; i++) {
          frame.addresses[results[i]] = outputs[i].segment().address();
        }
        frame.run();
      }
    }
  }

  @Override
  public long flops() {
    return code.steps().stream().mapToLong(Step::flops).sum();
  }

  @Override
  public long bytes() {
    return code.slabBytes();
  }

  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      frame.close();
      arena.close();
    }
  }

  @Override
  public String toString() {
    return PlanTable.of(code);
  }
}
