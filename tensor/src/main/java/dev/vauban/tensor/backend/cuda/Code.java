package dev.vauban.tensor.backend.cuda;

import dev.vauban.tensor.LeafOp;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A lowered graph: steps in order, and where each array lies.
 *
 * @param steps in order
 * @param slots for each step, positions in the address table: reads, then writes
 * @param scratch for each step, the offset of its scratch memory in the slab
 * @param offsets for each slot the offset in the slab, or -1 for what lies elsewhere
 * @param constants slots of constants
 * @param params slots of the parameters, in order; -1 for one that is not read
 * @param results slots of the results, in order
 * @param slabBytes size of the slab
 */
record Code(
    List<Step> steps,
    List<int[]> slots,
    long[] scratch,
    long[] offsets,
    Map<Integer, LeafOp.Data> constants,
    int[] params,
    int[] results,
    long slabBytes) {

  /** The kernels of all steps, bodies included, each once, by name. */
  Map<String, Kernel> kernels() {
    Map<String, Kernel> out = new LinkedHashMap<>();
    for (Step s : steps) {
      switch (s) {
        case Step.Kernels k ->
            k.launches().forEach(l -> out.putIfAbsent(l.kernel().name(), l.kernel()));
        case Step.Loop l -> l.body().kernels().forEach(out::putIfAbsent);
        case Step.Library l -> {}
        case Step.Copy c -> {}
      }
    }
    return out;
  }

  /** The constants of all steps, bodies and their step numbers included, each once. */
  Set<LeafOp.Data> allConstants() {
    Set<LeafOp.Data> out = new LinkedHashSet<>(constants.values());
    for (Step s : steps) {
      if (s instanceof Step.Loop l) {
        out.addAll(l.body().allConstants());
        out.add(Recorder.numbers(l.loop().steps()));
      }
    }
    return out;
  }

  /** Launches of one run. */
  long launches() {
    long n = 0;
    for (Step s : steps) {
      n +=
          switch (s) {
            case Step.Kernels k -> k.launches().size();
            case Step.Loop l -> l.loop().steps() * l.body().launches();
            case Step.Library l -> 1;
            case Step.Copy c -> 1;
          };
    }
    return n;
  }
}
