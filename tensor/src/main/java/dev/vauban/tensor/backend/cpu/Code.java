package dev.vauban.tensor.backend.cpu;

import java.util.List;

/**
 * A lowered graph: steps in order, and where each array lies.
 *
 * @param steps the kernel calls
 * @param slots for each step, positions in the address table: reads, then writes
 * @param scratch for each step, the offset of its scratch memory in the slab
 * @param addresses initial address table: absolute addresses of constants, else 0
 * @param offsets for each slot the offset in the slab, or -1 for constants, parameters and results
 * @param params slots of the parameters, in order; -1 for one that is not read
 * @param results slots of the results, in order
 * @param slabBytes size of the slab
 */
record Code(
    List<Step> steps,
    List<int[]> slots,
    long[] scratch,
    long[] addresses,
    long[] offsets,
    int[] params,
    int[] results,
    long slabBytes) {}
