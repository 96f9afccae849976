package dev.vauban.tensor;

import java.util.List;
import java.util.Set;

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

  /**
   * Binds the plan to arguments of which some stay, or go round from run to run. A device with
   * memory of its own does not copy those each time; results are the same everywhere.
   *
   * @param inputs one tensor per input leaf but those of the state
   * @param outputs one tensor per output leaf but those that the state takes on; must not share
   *     memory with inputs
   * @param kept what stays and what goes round
   * @return the sequence, at a state of zeros
   * @throws ShapeException if structure or types differ, or the state cannot go round
   */
  default Sequence sequence(Tree<Tensor> inputs, Tree<Tensor> outputs, Kept kept) {
    return new HostSequence(this, inputs, outputs, kept);
  }

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

  /**
   * What of a plan's arguments a device may keep from run to run.
   *
   * @param state the name of those inputs that are the {@linkplain Sequence#state state}: an output
   *     of the same path replaces one for the next run, and one without such an output stays
   * @param fixed names of inputs that never change while bound, such as a data set
   */
  record Kept(String state, Set<String> fixed) {
    /** Copies the set. */
    public Kept {
      fixed = Set.copyOf(fixed);
    }

    /** Whether the state has the leaf at this path. */
    public boolean carries(String path) {
      return within(path, state);
    }

    /** Whether the leaf at this path never changes. */
    public boolean fixes(String path) {
      return fixed.stream().anyMatch(name -> within(path, name));
    }

    private static boolean within(String path, String name) {
      return path.equals(name) || path.startsWith(name + "/");
    }
  }

  /**
   * Runs of a plan, each of which takes on the state that the one before left. Serves one thread.
   */
  interface Sequence extends AutoCloseable {
    /**
     * Starts the next run on the inputs as they are now and returns as soon as they may be changed.
     * The results are in the outputs after as many calls of {@link #finish}.
     *
     * @throws IllegalStateException if {@link #ahead} and one more runs are under way
     */
    void start();

    /**
     * Waits for the oldest run that was started and puts its results into the outputs.
     *
     * @throws IllegalStateException if none is under way
     */
    void finish();

    /**
     * How many runs may be started while one is under way: none on a device that computes in {@link
     * #start} itself, one on a device that computes beside the processor and could be idle.
     */
    int ahead();

    /**
     * The state after the last finished run, or the one that was set: tensors of the sequence's
     * own, which are up to date after each call of this method, and which later runs and calls
     * overwrite. A device copies its state to them only when asked.
     *
     * @throws IllegalStateException if two runs are under way, or if one failed since a state was
     *     set, which may have left nothing to go on from
     */
    Tree<Tensor> state();

    /**
     * Goes on from another state. Runs that are under way are waited for and forgotten.
     *
     * @param state is copied
     * @throws ShapeException if structure or types differ
     */
    void set(Tree<Tensor> state);

    /**
     * Waits for what is under way and frees the memory of the state. Closing again does nothing.
     */
    @Override
    void close();
  }

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
