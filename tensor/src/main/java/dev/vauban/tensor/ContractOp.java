package dev.vauban.tensor;

import java.util.ArrayList;
import java.util.List;

/** Sums of products. */
public sealed interface ContractOp extends Op {
  @Override
  default int arity() {
    return 2;
  }

  /**
   * The generalised matrix product: products of a left and a right element summed over pairs of
   * contracted axes. The result's axes are the batch axes in the order given, then the left's free
   * axes, then the right's free axes, both ascending. Products of BF16 operands are summed up, and
   * given, in F32.
   *
   * @param leftBatch batch axes of the left operand
   * @param rightBatch the right operand's, pair by pair of the same size
   * @param leftSum contracted axes of the left operand
   * @param rightSum the right operand's, pair by pair of the same size
   */
  record Contract(
      List<Integer> leftBatch,
      List<Integer> rightBatch,
      List<Integer> leftSum,
      List<Integer> rightSum)
      implements ContractOp {

    /** Copies the lists. */
    public Contract {
      leftBatch = List.copyOf(leftBatch);
      rightBatch = List.copyOf(rightBatch);
      leftSum = List.copyOf(leftSum);
      rightSum = List.copyOf(rightSum);
    }

    /** The left operand's axes that are neither batch nor contracted. */
    public List<Integer> leftFree(int rank) {
      return free(leftBatch, leftSum, rank);
    }

    /** The right operand's axes that are neither batch nor contracted. */
    public List<Integer> rightFree(int rank) {
      return free(rightBatch, rightSum, rank);
    }

    private static List<Integer> free(List<Integer> batch, List<Integer> sum, int rank) {
      return Axes.others(batch, rank).stream().filter(a -> !sum.contains(a)).toList();
    }

    @Override
    public List<Type> types(List<Expr> in) {
      Expr left = in.get(0);
      Expr right = in.get(1);
      if (left.dtype() != right.dtype() || !left.dtype().isFloat()) {
        throw Errors.dtypes(label(), "needs two operands of one floating-point type", in);
      }
      distinct(leftBatch, leftSum, left, in);
      distinct(rightBatch, rightSum, right, in);
      check(leftBatch, rightBatch, "batch", in);
      check(leftSum, rightSum, "contracted", in);
      List<Integer> dims = new ArrayList<>();
      leftBatch.forEach(a -> dims.add(left.shape().dim(a)));
      leftFree(left.shape().rank()).forEach(a -> dims.add(left.shape().dim(a)));
      rightFree(right.shape().rank()).forEach(a -> dims.add(right.shape().dim(a)));
      Shape shape = Shape.of(Axes.array(dims));
      return List.of(new Type(left.dtype().sums(), shape));
    }

    private void distinct(List<Integer> batch, List<Integer> sum, Expr operand, List<Expr> in) {
      boolean[] used = new boolean[operand.shape().rank()];
      for (List<Integer> axes : List.of(batch, sum)) {
        for (int a : axes) {
          if (a < 0 || a >= used.length || used[a]) {
            throw Errors.shapes(
                label(),
                "batch axes "
                    + batch
                    + " and contracted axes "
                    + sum
                    + " are not distinct axes of "
                    + operand.shape(),
                in);
          }
          used[a] = true;
        }
      }
    }

    private void check(List<Integer> l, List<Integer> r, String what, List<Expr> in) {
      if (l.size() != r.size()) {
        throw Errors.shapes(label(), "numbers of " + what + " axes differ", in);
      }
      for (int i = 0; i < l.size(); i++) {
        int a = in.get(0).shape().dim(l.get(i));
        int b = in.get(1).shape().dim(r.get(i));
        if (a != b) {
          throw Errors.shapes(label(), what + " dimensions differ, " + a + " ≠ " + b, in);
        }
      }
    }

    @Override
    public Expr[] gradient(Expr node, Expr[] ct) {
      Expr left = node.input(0);
      Expr right = node.input(1);
      int batch = leftBatch.size();
      int lf = leftFree(left.shape().rank()).size();
      int rf = rightFree(right.shape().rank()).size();
      List<Integer> batchAxes = Axes.range(0, batch);
      Expr g = ct[0].cast(left.dtype());
      // d left: the cotangent's right-free axes against the right operand's free axes.
      Expr dl =
          Expr.of(
              new Contract(
                  batchAxes,
                  rightBatch,
                  Axes.range(batch + lf, batch + lf + rf),
                  rightFree(right.shape().rank())),
              List.of(g, right));
      Expr dr =
          Expr.of(
              new Contract(
                  batchAxes,
                  leftBatch,
                  Axes.range(batch, batch + lf),
                  leftFree(left.shape().rank())),
              List.of(g, left));
      return new Expr[] {
        restore(dl, leftBatch, leftFree(left.shape().rank()), leftSum, rightSum).cast(left.dtype()),
        restore(dr, rightBatch, rightFree(right.shape().rank()), rightSum, leftSum)
            .cast(left.dtype())
      };
    }

    /**
     * Puts the axes of an operand's cotangent in place: it comes as batch, the operand's free axes,
     * then the other operand's contracted axes in ascending order.
     */
    private static Expr restore(
        Expr g, List<Integer> batch, List<Integer> free, List<Integer> sum, List<Integer> other) {
      int rank = g.shape().rank();
      int[] perm = new int[rank];
      for (int i = 0; i < batch.size(); i++) {
        perm[batch.get(i)] = i;
      }
      for (int i = 0; i < free.size(); i++) {
        perm[free.get(i)] = batch.size() + i;
      }
      List<Integer> ascending = other.stream().sorted().toList();
      for (int i = 0; i < sum.size(); i++) {
        perm[sum.get(i)] = batch.size() + free.size() + ascending.indexOf(other.get(i));
      }
      return g.transpose(perm);
    }

    @Override
    public Expr batch(List<Expr> in, boolean[] mapped, int n) {
      boolean l = mapped[0];
      boolean r = mapped[1];
      List<Integer> lb = l ? Axes.shift(leftBatch, 1) : leftBatch;
      List<Integer> rb = r ? Axes.shift(rightBatch, 1) : rightBatch;
      List<Integer> ls = l ? Axes.shift(leftSum, 1) : leftSum;
      List<Integer> rs = r ? Axes.shift(rightSum, 1) : rightSum;
      if (l && r) {
        return Expr.of(new Contract(Axes.prepend(0, lb), Axes.prepend(0, rb), ls, rs), in);
      }
      Expr y = Expr.of(new Contract(lb, rb, ls, rs), in);
      int at = leftBatch.size() + (l ? 0 : leftFree(in.get(0).shape().rank()).size());
      return Batching.move(y, at, 0);
    }
  }
}
