package dev.vauban.tensor;

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

  /** Frees native primitives and working memory. */
  @Override
  void close();

  /** A plan bound to its tensors. */
  interface Bound {
    /** Runs the plan on the bound tensors as they are now. Allocates nothing. */
    void run();
  }
}
