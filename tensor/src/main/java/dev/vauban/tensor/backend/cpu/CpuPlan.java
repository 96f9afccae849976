package dev.vauban.tensor.backend.cpu;

import dev.vauban.natives.LargePages;
import dev.vauban.tensor.Binding;
import dev.vauban.tensor.ClosedException;
import dev.vauban.tensor.Passes;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.backend.fusion.PoolExpansion;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** A program compiled for the CPU: one slab, one top-level frame. */
final class CpuPlan implements Plan {
  private final Program program;
  private final Context context;
  private final Arena arena = Arena.ofShared();
  private final Code code;
  private final MemorySegment slab;
  private final Frame frame;
  private boolean closed;

  CpuPlan(Program program, Context context) {
    this.program = program;
    this.context = context;
    try {
      this.code =
          new Lowering(context, arena, Lowering.Place.OUTSIDE)
              .lower(
                  PoolExpansion.of(Passes.optimise(program.graph()), VectorWidth.chosen()::suits));
      this.slab = LargePages.allocate(Math.max(code.slabBytes(), 1), arena);
      this.frame = new Frame(code, slab.address(), 0, context);
    } catch (RuntimeException | Error e) {
      arena.close();
      throw e;
    }
  }

  /** The working memory; its content between runs means nothing. */
  MemorySegment slab() {
    return slab;
  }

  /** The instance of the lowered program that runs. */
  Frame frame() {
    return frame;
  }

  @Override
  public Program program() {
    return program;
  }

  @Override
  public Bound bind(Tree<Tensor> inputs, Tree<Tensor> outputs) {
    List<Tensor> in = Binding.check("input", program.inputs(), inputs);
    List<Tensor> out = Binding.check("output", program.outputs(), outputs);
    Binding.refuseShared(in, out);
    return new Running(in.toArray(Tensor[]::new), out.toArray(Tensor[]::new));
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
      synchronized (context) { // the workers and their streams serve one plan at a time
        if (closed) {
          throw new ClosedException("the plan is closed");
        }
        context.check();
        int[] params = code.params();
        for (int i = 0; i < inputs.length; i++) {
          long address = inputs[i].segment().address(); // refuses memory that is gone
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
  public void close() {
    synchronized (context) {
      if (!closed) {
        closed = true;
        frame.close();
        arena.close();
      }
    }
  }

  @Override
  public List<Part> parts() {
    return Parts.parts(code);
  }

  @Override
  public String toString() {
    return Parts.of(code);
  }
}
