package dev.vauban.tensor.backend.cpu;

import dev.vauban.tensor.ControlOp;
import dev.vauban.tensor.backend.fusion.MemoryPlanner;
import java.util.List;

/**
 * A body run for each element, elements shared out over the workers. Every worker has its own
 * frame; results do not depend on which worker runs which element.
 */
record MapStep(Code body, ControlOp.Map map, int frames, List<Object> reads, List<Object> writes)
    implements Step {

  @Override
  public String label() {
    return "map over "
        + map.size()
        + " on "
        + frames
        + " worker(s), "
        + body.steps().size()
        + " kernels";
  }

  @Override
  public long scratchBytes() {
    return frames * MemoryPlanner.align(body.slabBytes());
  }

  @Override
  public long flops() {
    return map.size() * body.steps().stream().mapToLong(Step::flops).sum();
  }

  @Override
  public Call instantiate(Frame frame, int[] slots, long scratch) {
    return new Running(frame, slots, scratch);
  }

  final class Running implements Call, Workers.Task {
    final Frame[] own;
    private final Workers workers;
    private final int[] slots;
    private final long[] inBytes;
    private final long[] outBytes;
    private long[] outer;

    Running(Frame frame, int[] slots, long scratch) {
      Context context = frame.context();
      this.slots = slots;
      this.workers = frames > 1 ? context.workers : null;
      this.own = new Frame[frames];
      for (int w = 0; w < frames; w++) {
        int worker = frames > 1 ? w : frame.worker;
        own[w] =
            new Frame(body, scratch + w * MemoryPlanner.align(body.slabBytes()), worker, context);
      }
      inBytes = new long[reads.size()];
      for (int i = 0; i < inBytes.length; i++) {
        inBytes[i] = i < map.mapped() ? map.body().params().get(i).type().bytes() : 0;
      }
      outBytes = new long[writes.size()];
      for (int i = 0; i < outBytes.length; i++) {
        outBytes[i] = map.body().results().get(i).type().bytes();
      }
    }

    @Override
    public void run(long[] addresses) {
      outer = addresses;
      if (workers != null) {
        workers.run(this, map.size());
      } else {
        for (int k = 0; k < map.size(); k++) {
          element(k, 0);
        }
      }
    }

    @Override
    public void element(int k, int worker) {
      Frame f = own[worker];
      int[] params = body.params();
      for (int i = 0; i < inBytes.length; i++) {
        if (params[i] >= 0) {
          f.addresses[params[i]] = outer[slots[i]] + k * inBytes[i];
        }
      }
      int[] results = body.results();
      for (int i = 0; i < outBytes.length; i++) {
        f.addresses[results[i]] = outer[slots[inBytes.length + i]] + k * outBytes[i];
      }
      f.run();
    }

    @Override
    public void close() {
      for (Frame f : own) {
        f.close();
      }
    }
  }
}
