package dev.vauban.tensor.backend.cpu;

import dev.vauban.tensor.ControlOp;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.backend.cpu.kernels.Memory;
import dev.vauban.tensor.backend.fusion.MemoryPlanner;
import java.lang.foreign.ValueLayout;
import java.util.List;

/** A body run again and again on a state that alternates between two places. */
record LoopStep(Code body, ControlOp.Loop loop, List<Object> reads, List<Object> writes)
    implements Step {

  @Override
  public String label() {
    return "loop " + loop.steps() + " times, " + body.steps().size() + " kernels";
  }

  @Override
  public long scratchBytes() {
    long bytes = MemoryPlanner.align(body.slabBytes()) + MemoryPlanner.align(Integer.BYTES);
    for (int i = 0; i < loop.states(); i++) {
      bytes += MemoryPlanner.align(state(i).bytes());
    }
    return bytes;
  }

  private Type state(int i) {
    return loop.body().results().get(i).type();
  }

  @Override
  public long flops() {
    return loop.steps() * body.steps().stream().mapToLong(Step::flops).sum();
  }

  @Override
  public Call instantiate(Frame frame, int[] slots, long scratch) {
    return new Running(frame, slots, scratch);
  }

  final class Running implements Call {
    final Frame own;
    private final int[] slots;
    private final long number;
    private final long[] other;

    Running(Frame frame, int[] slots, long scratch) {
      this.slots = slots;
      this.own = new Frame(body, scratch, frame.worker, frame.context());
      this.number = scratch + MemoryPlanner.align(body.slabBytes());
      this.other = new long[loop.states()];
      long at = number + MemoryPlanner.align(Integer.BYTES);
      for (int i = 0; i < other.length; i++) {
        other[i] = at;
        at += MemoryPlanner.align(state(i).bytes());
      }
    }

    @Override
    public void run(long[] outer) {
      int states = loop.states();
      int[] params = body.params();
      set(params[0], number);
      for (int i = states; i < reads.size(); i++) {
        set(params[1 + i], outer[slots[i]]);
      }
      for (int k = 0; k < loop.steps(); k++) {
        Memory.ALL.set(ValueLayout.JAVA_INT_UNALIGNED, number, k);
        boolean toResult = (loop.steps() - 1 - k) % 2 == 0; // the last step writes the result
        for (int i = 0; i < states; i++) {
          long result = outer[slots[reads.size() + i]];
          long from = k == 0 ? outer[slots[i]] : toResult ? other[i] : result;
          set(params[1 + i], from);
          own.addresses[body.results()[i]] = toResult ? result : other[i];
        }
        own.run();
      }
    }

    private void set(int slot, long address) {
      if (slot >= 0) {
        own.addresses[slot] = address;
      }
    }

    @Override
    public void close() {
      own.close();
    }
  }
}
