/**
 * The CUDA backend: every program a plan that one graph launch replays on an NVIDIA card.
 *
 * <p>{@link dev.vauban.tensor.backend.cuda.CudaDevice#compile} takes a traced program through these
 * stages, each a class that can be read alone:
 *
 * <ol>
 *   <li>{@code Lowering} has every Map batched, divides the graph by {@code fusion.Fusion} and
 *       gives each part its kernels: {@code Nests} and {@code Sums} for fused nests, {@code
 *       Contractions} and {@code Convolutions} as {@code Product}s in {@code Products}' tiles,
 *       {@code Movement}, {@code Pools}, {@code Orders}, {@code Draws}. The result, {@code Code},
 *       is {@code Step}s and a place for every array; it needs no card.
 *   <li>A {@code Kernel} is CUDA C++ text that a {@code Source} collects, named after its content.
 *       {@code KernelLibrary} compiles those that the device does not have yet.
 *   <li>{@code CudaPlan} allocates the card's memory once; {@code Recorder} queues all launches
 *       while the stream is captured. A run is then one launch of that graph.
 * </ol>
 *
 * <p>What holds everywhere: nothing is atomic and the division of work depends on shapes alone, so
 * the same inputs give the same bits; random bits are those of every other device.
 */
package dev.vauban.tensor.backend.cuda;
