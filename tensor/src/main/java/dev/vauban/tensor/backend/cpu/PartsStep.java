package dev.vauban.tensor.backend.cpu;

import dev.vauban.tensor.backend.fusion.MemoryPlanner;
import java.util.List;

/**
 * One kernel call as several on parts of its arrays, shared out over the workers. Into how many
 * parts is a matter of shapes alone, so that the results are the same bits on any number of
 * workers.
 *
 * @param part what runs on each part
 * @param parts how many there are
 * @param frames workers that take part
 * @param strides for each read, then each write, the bytes from one part to the next; 0 if all
 *     parts share it
 * @param sums writes of which every part makes its own, to be combined
 */
record PartsStep(
    Step part,
    int parts,
    int frames,
    List<Object> reads,
    List<Object> writes,
    long[] strides,
    List<Sum> sums)
    implements Step {

  /**
   * A result that is the combination of the parts' results.
   *
   * @param write which of the writes
   * @param bytes of one part's result
   * @param combine reads the parts' results, {@link MemoryPlanner#align aligned} one after another,
   *     and writes the whole
   */
  record Sum(int write, long bytes, RegionKernel combine) {}

  @Override
  public String label() {
    return part.label() + " in " + parts + " parts";
  }

  private long sumBytes() {
    return sums.stream().mapToLong(s -> parts * MemoryPlanner.align(s.bytes())).sum();
  }

  @Override
  public long scratchBytes() {
    return sumBytes() + frames * MemoryPlanner.align(part.scratchBytes());
  }

  @Override
  public long flops() {
    return parts * part.flops();
  }

  @Override
  public Call instantiate(Frame frame, int[] slots, long scratch) {
    return new Running(frame.context(), slots, scratch);
  }

  private final class Running implements Call, Workers.Task {
    private final Workers workers;
    private final int[] slots;
    private final Call[] calls = new Call[frames];
    private final long[][] own = new long[frames][strides.length];
    private final long[] base = new long[strides.length];
    private final long[] step = strides.clone();
    private final long[][] combined = new long[sums.size()][2];

    Running(Context context, int[] slots, long scratch) {
      this.workers = context.workers;
      this.slots = slots;
      long at = scratch;
      for (int i = 0; i < combined.length; i++) {
        Sum sum = sums.get(i);
        combined[i][0] = at;
        step[reads.size() + sum.write()] = MemoryPlanner.align(sum.bytes());
        at += parts * MemoryPlanner.align(sum.bytes());
      }
      int[] operands = new int[strides.length];
      for (int i = 0; i < operands.length; i++) {
        operands[i] = i;
      }
      try {
        for (int w = 0; w < frames; w++) {
          calls[w] = part.instantiate(Frame.of(w, context), operands, at);
          at += MemoryPlanner.align(part.scratchBytes());
        }
      } catch (RuntimeException | Error e) {
        close(); // those made so far
        throw e;
      }
    }

    @Override
    public void run(long[] addresses) {
      for (int i = 0; i < base.length; i++) {
        base[i] = addresses[slots[i]];
      }
      for (int i = 0; i < combined.length; i++) {
        int write = reads.size() + sums.get(i).write();
        combined[i][1] = base[write];
        base[write] = combined[i][0];
      }
      workers.run(this, parts);
      for (int i = 0; i < combined.length; i++) {
        sums.get(i).combine().run(combined[i]);
      }
    }

    @Override
    public void element(int k, int worker) {
      long[] a = own[worker];
      for (int i = 0; i < a.length; i++) {
        a[i] = base[i] + k * step[i];
      }
      calls[worker].run(a);
    }

    @Override
    public void close() {
      for (Call call : calls) {
        if (call != null) {
          call.close();
        }
      }
    }
  }
}
