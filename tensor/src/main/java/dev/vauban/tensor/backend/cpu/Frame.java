package dev.vauban.tensor.backend.cpu;

import java.util.List;

/** One instance of a lowered graph: a slab, an address table and the calls. Used by one thread. */
final class Frame implements AutoCloseable {
  private static final Code NOTHING =
      new Code(
          List.of(), List.of(), new long[0], new long[0], new long[0], new int[0], new int[0], 0);

  final Code code;
  final long[] addresses;
  final int worker;
  final Step.Call[] calls;
  private final long[] nanos;
  private final Context context;

  /**
   * Lays the code out at {@code slab}.
   *
   * @param worker index of the worker that runs it; nested frames of a top-level frame choose
   *     theirs
   */
  Frame(Code code, long slab, int worker, Context context) {
    this.code = code;
    this.worker = worker;
    this.context = context;
    this.addresses = code.addresses().clone();
    for (int i = 0; i < addresses.length; i++) {
      if (code.offsets()[i] >= 0) {
        addresses[i] = slab + code.offsets()[i];
      }
    }
    this.calls = new Step.Call[code.steps().size()];
    try {
      for (int i = 0; i < calls.length; i++) {
        calls[i] =
            code.steps().get(i).instantiate(this, code.slots().get(i), slab + code.scratch()[i]);
      }
    } catch (RuntimeException | Error e) {
      close(); // the primitives made so far
      throw e;
    }
    this.nanos = Profile.on() ? new long[calls.length] : null;
  }

  /** The place of a worker: a frame without code. */
  static Frame of(int worker, Context context) {
    return new Frame(NOTHING, 0, worker, context);
  }

  /** The context that compiled the code. */
  Context context() {
    return context;
  }

  /** Runs every call in order. */
  void run() {
    if (nanos != null) {
      runTimed();
      return;
    }
    for (Step.Call call : calls) {
      call.run(addresses);
    }
  }

  private void runTimed() {
    long before = System.nanoTime();
    for (int i = 0; i < calls.length; i++) {
      calls[i].run(addresses);
      long now = System.nanoTime();
      nanos[i] += now - before;
      before = now;
    }
    Profile.add(code, nanos);
  }

  @Override
  public void close() {
    for (Step.Call call : calls) {
      if (call != null) {
        call.close();
      }
    }
  }
}
