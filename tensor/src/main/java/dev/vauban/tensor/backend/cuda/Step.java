package dev.vauban.tensor.backend.cuda;

import dev.vauban.natives.cuda.GemmSpec;
import dev.vauban.tensor.ControlOp;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.IndexOp;
import dev.vauban.tensor.ShapeOp;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.backend.fusion.MemoryPlanner;
import java.util.HashSet;
import java.util.List;

/** Part of a lowered program: what it reads and writes, and what is launched for it. */
sealed interface Step {
  /** What is read: a node whose memory it is. */
  List<Object> reads();

  /** What is written. */
  List<Object> writes();

  /** Bytes of scratch memory while it runs. */
  long scratchBytes();

  /** Floating-point operations. */
  long flops();

  /** Bytes that it reads and writes at least: its arrays once each, its scratch memory twice. */
  default long traffic() {
    long written = writes().stream().mapToLong(Step::bytes).sum();
    boolean partly =
        writes().getFirst() instanceof Expr e
            && (e.op() instanceof ShapeOp.Slice || e.op() instanceof IndexOp.Gather);
    long read = partly ? written : new HashSet<>(reads()).stream().mapToLong(Step::bytes).sum();
    return read + written + 2 * scratchBytes();
  }

  private static long bytes(Object memory) {
    return memory instanceof Expr e ? e.type().bytes() : 0;
  }

  /** What it is, for prints: kernel and shapes. */
  String label();

  /** Generated kernels. */
  record Kernels(
      String label,
      List<Object> reads,
      List<Object> writes,
      long scratchBytes,
      long flops,
      List<Launch> launches)
      implements Step {}

  /** A product of cuBLASLt's: reads the left and the right factor. */
  record Library(
      String label, List<Object> reads, List<Object> writes, long flops, GemmSpec product)
      implements Step {
    @Override
    public long scratchBytes() {
      return 0;
    }
  }

  /** A copy within the card. */
  record Copy(List<Object> reads, List<Object> writes, long bytes) implements Step {
    @Override
    public String label() {
      return "copy " + bytes + " bytes";
    }

    @Override
    public long traffic() {
      return 2 * bytes;
    }

    @Override
    public long scratchBytes() {
      return 0;
    }

    @Override
    public long flops() {
      return 0;
    }
  }

  /** A body launched again and again on a state that alternates between two places. */
  record Loop(Code body, ControlOp.Loop loop, List<Object> reads, List<Object> writes)
      implements Step {
    @Override
    public String label() {
      return "loop " + loop.steps() + " times, " + body.steps().size() + " steps";
    }

    @Override
    public long scratchBytes() {
      long bytes = MemoryPlanner.align(body.slabBytes());
      for (int i = 0; i < loop.states(); i++) {
        bytes += MemoryPlanner.align(state(i).bytes());
      }
      return bytes;
    }

    /** The type of a state. */
    Type state(int i) {
      return loop.body().results().get(i).type();
    }

    @Override
    public long flops() {
      return loop.steps() * body.steps().stream().mapToLong(Step::flops).sum();
    }

    @Override
    public long traffic() {
      return loop.steps() * body.steps().stream().mapToLong(Step::traffic).sum();
    }
  }
}
