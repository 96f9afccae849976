/**
 * The CPU backend: fused regions, native and Vector API kernels, one memory plan per program.
 *
 * <p>{@link dev.vauban.tensor.backend.cpu.CpuDevice#compile} takes a traced program through these
 * stages, each a class that can be read alone:
 *
 * <ol>
 *   <li>{@code fusion.Fusion} divides the graph into units: nests of pointwise operations and
 *       reductions over one iteration space, and single operations.
 *   <li>{@code fusion.RegionBuilder} writes a nest as a {@code Region}: operands with strides,
 *       scalar code, outputs. {@code RegionCompiler} emits one hidden class for all equal regions.
 *   <li>{@code Kernels}, {@code Contraction} and {@code Convolution} choose the kernel of a single
 *       operation: oneDNN, Java, or the reference interpreter's loops where there is neither.
 *   <li>{@code Lowering} puts the resulting {@code Step}s in order and {@code fusion.MemoryPlanner}
 *       gives every array and every scratch block an offset in one slab. The result is {@code
 *       Code}.
 *   <li>{@code Frame} is one instance of code: a slab, a table of addresses, the calls. {@code
 *       CpuPlan} has one; a {@code MapStep} one per worker; a {@code LoopStep} one whose states
 *       change places.
 * </ol>
 *
 * <p>What holds everywhere: a run allocates nothing (but what oneDNN makes and deletes in each
 * call, see {@code Primitive}); what a kernel writes does not depend on the worker that runs it,
 * nor on how many there are; plans of one device take turns.
 */
package dev.vauban.tensor.backend.cpu;
