package dev.vauban.tensor.backend.cuda;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.ShapeOp;
import dev.vauban.tensor.backend.fusion.Fusion;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * An array of rank 4, the last dimension seen as tasks times channels, where it lies in memory.
 *
 * <p>The batching rule of a convolution with a kernel for each task moves the tasks of images
 * [T,N,H,W,C] in front of the channels, which would be a copy of everything. These kernels read and
 * write [T,N,H,W,C] as it is: every dimension has a stride of its own.
 *
 * @param memory what holds it
 * @param tasks how many
 * @param strides of the four dimensions (the last: of channels within a task), then of the tasks
 */
record View(Expr memory, int tasks, List<Long> strides) {
  private static final int CHANNELS = 3;
  private static final int TASKS = 4;

  /**
   * An operand of a convolution, whose last dimension holds {@code tasks} times channels.
   *
   * @param inMemory whether the array of a node can be read; what was only on the way to another
   *     array cannot
   */
  static View of(Expr e, int tasks, Predicate<Expr> inMemory) {
    if (e.op() instanceof ShapeOp.Reshape && tasks > 1) {
      Expr five = e.input(0);
      int[] d = e.shape().dims();
      int[] expected = {d[0], d[1], d[2], tasks, d[CHANNELS] / tasks};
      if (Arrays.equals(five.shape().dims(), expected)) {
        if (five.op() instanceof ShapeOp.Transpose t) {
          Expr from = five.input(0);
          Optional<View> shared = repeated(from, tasks, t.perm(), inMemory);
          if (shared.isPresent()) {
            return shared.get();
          }
          long[] s = from.shape().strides();
          List<Long> walk = t.perm().stream().map(a -> s[a]).toList();
          return split(Fusion.memory(from), tasks, walk);
        }
      }
    }
    return contiguous(e, tasks);
  }

  /** What is the same for all tasks, or all images, and only repeated: a stride of 0 repeats it. */
  private static Optional<View> repeated(
      Expr e, int tasks, List<Integer> perm, Predicate<Expr> inMemory) {
    if (!(e.op() instanceof ShapeOp.Broadcast b) || !inMemory.test(e.input(0))) {
      return Optional.empty();
    }
    long[] s = e.input(0).shape().strides();
    long[] walk = new long[perm.size()];
    for (int i = 0; i < s.length; i++) {
      walk[b.axes().get(i)] = e.input(0).shape().dim(i) == 1 ? 0 : s[i];
    }
    List<Long> five = perm.stream().map(a -> walk[a]).toList();
    return Optional.of(split(Fusion.memory(e.input(0)), tasks, five));
  }

  /** The view of an array that lies as its shape says. */
  static View contiguous(Expr e, int tasks) {
    List<Long> s = new ArrayList<>();
    for (long stride : e.shape().strides()) {
      s.add(stride);
    }
    s.add((long) e.shape().dim(CHANNELS) / tasks);
    return new View(Fusion.memory(e), tasks, List.copyOf(s));
  }

  /** From strides of [.., .., .., tasks, channels]. */
  private static View split(Expr memory, int tasks, List<Long> five) {
    List<Long> s = new ArrayList<>(five);
    s.set(CHANNELS, five.get(TASKS));
    s.set(TASKS, five.get(CHANNELS));
    return new View(memory, tasks, List.copyOf(s));
  }

  /**
   * How the result of a convolution lies if {@code moved}, a transposition of a reshape of it, is
   * stored in its place; null if {@code moved} does not put tasks first.
   */
  static View moved(Expr result, Expr moved, int tasks) {
    int[] d = result.shape().dims();
    boolean is =
        moved.op() instanceof ShapeOp.Transpose t
            && t.perm().size() == TASKS + 1
            && moved.input(0).op() instanceof ShapeOp.Reshape
            && moved.input(0).input(0) == result
            && Arrays.equals(
                moved.input(0).shape().dims(),
                new int[] {d[0], d[1], d[2], tasks, d[CHANNELS] / tasks});
    if (!is) {
      return null;
    }
    List<Integer> perm = ((ShapeOp.Transpose) moved.op()).perm();
    long[] s = moved.shape().strides();
    Long[] walk = new Long[perm.size()];
    for (int i = 0; i < walk.length; i++) {
      walk[perm.get(i)] = s[i];
    }
    return split(moved, tasks, List.of(walk));
  }

  /** The stride of dimension 0 to 3. */
  long stride(int dim) {
    return strides.get(dim);
  }

  /** Elements from one task's first element to the next one's. */
  long taskStride() {
    return strides.get(TASKS);
  }
}
