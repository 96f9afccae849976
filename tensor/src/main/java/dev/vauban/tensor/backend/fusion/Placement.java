package dev.vauban.tensor.backend.fusion;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.LeafOp;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.ToLongFunction;

/**
 * Where the arrays of a sequence of steps lie: each has a slot in a table of addresses, and those
 * that live only between its steps have an offset in one slab.
 *
 * @param slots numbers of the arrays, by what they hold
 * @param offsets by slot; -1 for arrays that are not in the slab: given ones, results, constants
 * @param steps the slots of each step: its reads, then its writes
 * @param scratch offset of each step's scratch memory
 * @param slabBytes size of the slab
 */
public record Placement(
    Map<Object, Integer> slots, long[] offsets, List<int[]> steps, long[] scratch, long slabBytes) {

  /**
   * What a step needs.
   *
   * @param reads arrays that it reads
   * @param writes arrays that it writes
   * @param scratchBytes memory that it needs while it runs
   */
  public record Use(List<Object> reads, List<Object> writes, long scratchBytes) {}

  /**
   * Places the arrays of steps that run in this order.
   *
   * @param given arrays that others have made
   * @param results arrays that others will read
   * @param bytes sizes of the other arrays
   */
  public static Placement of(
      List<Use> uses,
      Collection<?> given,
      Collection<Object> results,
      ToLongFunction<Object> bytes) {
    Map<Object, Integer> slots = new LinkedHashMap<>();
    Map<Object, int[]> life = new HashMap<>(); // first and last step
    for (int i = 0; i < uses.size(); i++) {
      int step = i;
      for (Object key : uses.get(i).reads()) {
        slots.putIfAbsent(key, slots.size());
        life.computeIfAbsent(key, k -> new int[] {step, step})[1] = i;
      }
      for (Object key : uses.get(i).writes()) {
        slots.putIfAbsent(key, slots.size());
        life.put(key, new int[] {i, i});
      }
    }
    results.forEach(r -> slots.putIfAbsent(r, slots.size())); // one without elements has no step
    Set<Object> elsewhere = new HashSet<>(given);
    elsewhere.addAll(results);
    MemoryPlanner planner = new MemoryPlanner();
    Map<Integer, Integer> blocks = new LinkedHashMap<>();
    slots.forEach((key, slot) -> {
      if (!isConstant(key) && !elsewhere.contains(key)) {
        int[] l = life.get(key);
        blocks.put(slot, planner.add(new MemoryPlanner.Block(bytes.applyAsLong(key), l[0], l[1])));
      }
    });
    int[] scratch = new int[uses.size()];
    for (int i = 0; i < scratch.length; i++) {
      scratch[i] = planner.add(new MemoryPlanner.Block(uses.get(i).scratchBytes(), i, i));
    }
    planner.plan();
    long[] offsets = new long[slots.size()];
    Arrays.fill(offsets, -1);
    blocks.forEach((slot, block) -> offsets[slot] = planner.offset(block));
    List<int[]> steps = new ArrayList<>();
    for (Use u : uses) {
      List<Object> keys = new ArrayList<>(u.reads());
      keys.addAll(u.writes());
      steps.add(keys.stream().mapToInt(slots::get).toArray());
    }
    return new Placement(
        slots,
        offsets,
        steps,
        Arrays.stream(scratch).mapToLong(planner::offset).toArray(),
        planner.size());
  }

  private static boolean isConstant(Object key) {
    return key instanceof Expr e && e.op() instanceof LeafOp.Data;
  }

  /** The constants that steps read, by slot. */
  public Map<Integer, LeafOp.Data> constants() {
    Map<Integer, LeafOp.Data> constants = new LinkedHashMap<>();
    slots.forEach((key, slot) -> {
      if (key instanceof Expr e && e.op() instanceof LeafOp.Data d) {
        constants.put(slot, d);
      }
    });
    return constants;
  }

  /** The slots of these arrays; -1 for one that no step uses. */
  public int[] slotsOf(Collection<?> keys) {
    return keys.stream().mapToInt(k -> slots.getOrDefault(k, -1)).toArray();
  }
}
