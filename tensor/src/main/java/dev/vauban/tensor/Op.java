package dev.vauban.tensor;

import java.util.List;

/**
 * What an operation means: its shape rule, its gradient and its batching rule. How it runs lives in
 * each backend, in an exhaustive switch over these records.
 *
 * <p>Operations never broadcast, promote types or mutate; the convenience methods of {@link Expr}
 * insert explicit nodes. Every gradient is written in {@link Expr}s and is therefore differentiable
 * again.
 */
public sealed interface Op
    permits LeafOp,
        ElementOp,
        ShapeOp,
        ReduceOp,
        ContractOp,
        ConvOp,
        PoolOp,
        IndexOp,
        RandomOp,
        ControlOp {

  /** Number of inputs; {@link #ANY} where the operation checks it itself. */
  default int arity() {
    return 1;
  }

  /** An {@link #arity} that is not fixed. */
  int ANY = -1;

  /**
   * The types of the results for these inputs; one for all but {@link ControlOp.Map} and {@link
   * ControlOp.Loop}.
   *
   * @throws ShapeException if the inputs' shapes do not fit
   * @throws DTypeException if the inputs' element types do not fit
   */
  List<Type> types(List<Expr> inputs);

  /**
   * The cotangents of the inputs of {@code node}, null for a zero.
   *
   * @param node a node with this operation
   * @param cotangents one per result of the node, null for a zero, not all null
   */
  Expr[] gradient(Expr node, Expr[] cotangents);

  /**
   * This operation applied to {@code n} elements at once: the batching rule.
   *
   * @param inputs inputs; those that are mapped carry the batch as a new first dimension
   * @param mapped which inputs are mapped; at least one is
   * @param n size of the batch
   * @return a node whose results all carry the batch as first dimension
   */
  Expr batch(List<Expr> inputs, boolean[] mapped, int n);

  /** A short lower-case name for prints and messages. */
  default String label() {
    String name = getClass().getSimpleName();
    return Character.toLowerCase(name.charAt(0)) + name.substring(1);
  }
}
