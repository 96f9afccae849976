package dev.vauban.tensor.backend.cuda;

import dev.vauban.natives.cuda.CudaArguments;
import dev.vauban.natives.cuda.CudaStream;
import dev.vauban.natives.cuda.GemmSpec;
import dev.vauban.natives.cuda.Gemms;
import dev.vauban.tensor.LeafOp;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.backend.fusion.MemoryPlanner;
import java.lang.foreign.Arena;
import java.util.Map;

/**
 * Queues a program's launches on a stream, which a graph is made of. Every address is known: a loop
 * is its body queued again and again, the state in another place each time.
 *
 * @param stream where
 * @param kernels the compiled kernels
 * @param products the library's, made ready
 * @param constants addresses of constants
 * @param fault address of {@link Faults}
 * @param arena for arguments, until all is queued
 */
record Recorder(
    CudaStream stream,
    KernelLibrary kernels,
    Map<GemmSpec, Gemms.Gemm> products,
    Map<LeafOp.Data, Long> constants,
    long fault,
    Arena arena) {

  /** The step numbers of a loop, which its body reads one by one. */
  static LeafOp.Data numbers(int steps) {
    double[] n = new double[steps];
    for (int i = 0; i < steps; i++) {
      n[i] = i;
    }
    return new LeafOp.Data(Type.i32(steps), new LeafOp.Values(n));
  }

  /**
   * Queues code.
   *
   * @param addresses of parameters and results, by slot; the others are filled in
   * @param slab where the code's slab begins
   */
  void record(Code code, long[] addresses, long slab) {
    for (int i = 0; i < addresses.length; i++) {
      if (code.offsets()[i] >= 0) {
        addresses[i] = slab + code.offsets()[i];
      }
    }
    code.constants().forEach((slot, d) -> addresses[slot] = constants.get(d));
    for (int i = 0; i < code.steps().size(); i++) {
      int[] slots = code.slots().get(i);
      long scratch = slab + code.scratch()[i];
      switch (code.steps().get(i)) {
        case Step.Kernels k -> k.launches().forEach(l -> launch(k, l, addresses, slots, scratch));
        case Step.Library l ->
            products
                .get(l.product())
                .run(stream, addresses[slots[0]], addresses[slots[1]], addresses[slots[2]]);
        case Step.Copy c ->
            stream.copyOnDevice(addresses[slots[1]], addresses[slots[0]], c.bytes());
        case Step.Loop l -> loop(l, addresses, slots, scratch);
      }
    }
  }

  private void launch(Step step, Launch l, long[] addresses, int[] slots, long scratch) {
    CudaArguments arguments = new CudaArguments(arena, l.arguments().size());
    for (Launch.Argument a : l.arguments()) {
      switch (a) {
        case Launch.Read r -> arguments.pointer(addresses[slots[r.index()]] + r.offset());
        case Launch.Write w -> arguments.pointer(addresses[slots[step.reads().size() + w.index()]]);
        case Launch.Scratch s -> arguments.pointer(scratch + s.offset());
        case Launch.Fault f -> arguments.pointer(fault);
        case Launch.Number n -> arguments.int32(n.value());
      }
    }
    stream.launch(kernels.function(l.kernel()), l.shape(), arguments);
  }

  private void loop(Step.Loop l, long[] outer, int[] slots, long scratch) {
    Code body = l.body();
    int states = l.loop().states();
    int steps = l.loop().steps();
    long[] other = new long[states];
    long at = scratch + MemoryPlanner.align(body.slabBytes());
    for (int i = 0; i < states; i++) {
      other[i] = at;
      at += MemoryPlanner.align(l.state(i).bytes());
    }
    long numbers = constants.get(numbers(steps));
    int[] params = body.params();
    for (int k = 0; k < steps; k++) {
      long[] addresses = new long[body.offsets().length];
      set(addresses, params[0], numbers + (long) k * Integer.BYTES);
      for (int i = states; i < l.reads().size(); i++) {
        set(addresses, params[1 + i], outer[slots[i]]);
      }
      boolean toResult = (steps - 1 - k) % 2 == 0; // the last step writes the result
      for (int i = 0; i < states; i++) {
        long result = outer[slots[l.reads().size() + i]];
        set(addresses, params[1 + i], k == 0 ? outer[slots[i]] : toResult ? other[i] : result);
        addresses[body.results()[i]] = toResult ? result : other[i];
      }
      record(body, addresses, scratch);
    }
  }

  private static void set(long[] addresses, int slot, long address) {
    if (slot >= 0) {
      addresses[slot] = address;
    }
  }
}
