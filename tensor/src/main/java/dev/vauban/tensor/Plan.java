package dev.vauban.tensor;

import java.util.List;

/**
 * A compiled program: kernels in order, memory planned, replayed any number of times. A plan runs
 * one call at a time. {@code toString} is a table: kernel, shapes, operations, bytes, source line.
 */
public interface Plan extends AutoCloseable {
  /** The program it runs. */
  Program program();

  /**
   * Binds the plan to arguments and result tensors once, so that replays allocate nothing.
   *
   * @param inputs one tensor per input leaf, same structure and types
   * @param outputs one tensor per output leaf; must not share memory with inputs
   * @throws ShapeException if structure or types differ; the message names the leaf
   */
  Bound bind(Tree<Tensor> inputs, Tree<Tensor> outputs);

  /** Runs once; the results are new tensors in {@code scope}. */
  default Tree<Tensor> run(Scope scope, Tree<Tensor> inputs) {
    Tree<Tensor> out = scope.tensors(program().outputs());
    bind(inputs, out).run();
    return out;
  }

  /**
   * Floating-point operations of one run (multiply-add counts two), by the definitions of the
   * operations: a kernel that gets by with fewer does not lower it.
   */
  long flops();

  /** Bytes of working memory. */
  long bytes();

  /**
   * Bytes that the kernels of one run read and write: for each kernel every array once, whole, even
   * if it reads it again and again. What it takes at least, for all but views of parts. 0 if the
   * plan does not count.
   */
  default long traffic() {
    return 0;
  }

  /** What runs, in order; a body follows its map or loop. Empty if the plan is interpreted. */
  default List<Part> parts() {
    return List.of();
  }

  /** Frees native primitives and working memory. */
  @Override
  void close();

  /**
   * A kernel, or a map or loop around some.
   *
   * @param depth how many maps and loops are around it
   * @param label what it computes, by which kernel, on which shapes
   * @param where the source line that it is for; may be empty
   * @param flops floating-point operations of one call, in a map or loop of all its elements
   * @param scratchBytes memory it needs while it runs
   * @param kernels how many it stands for: 1 for a kernel, for a map or loop those of its body
   */
  record Part(int depth, String label, String where, long flops, long scratchBytes, long kernels) {}

  /** A plan bound to its tensors. */
  interface Bound {
    /** Runs the plan on the bound tensors as they are now. Allocates nothing. */
    void run();

    /**
     * Starts a run on the inputs as they are now and returns, as soon as they may be changed. The
     * results are in the outputs after as many calls of {@link #finish}. A device that computes
     * beside the processor may have two runs of a plan under way: the next one's inputs are
     * prepared while it computes. Others run at once.
     *
     * @throws IllegalStateException if two runs are under way
     */
    default void start() {
      run();
    }

    /** Waits for the oldest run that was started and puts its results into the outputs. */
    default void finish() {}
  }
}
