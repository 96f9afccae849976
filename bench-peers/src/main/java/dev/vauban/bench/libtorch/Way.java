package dev.vauban.bench.libtorch;

import dev.vauban.tensor.Precision;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;

/**
 * One way to run a meta-step. Batch normalisation is always libtorch's own function: composed of
 * mean, variance and a multiply-add it took 1.3 to 2 times the time of the whole step (measured).
 *
 * @param layout of the images
 * @param tasks how threads are used
 * @param precision of convolutions and matrix products: F32, or by autocast
 */
record Way(Layout layout, Tasks tasks, Precision precision) {
  enum Layout {
    NCHW("channels first"),
    /** Only the queries, through which gradients are taken once. */
    QUERIES_NHWC("queries channels-last"),
    NHWC("channels-last");

    private final String text;

    Layout(String text) {
      this.text = text;
    }
  }

  enum Tasks {
    /** One after another, every operation on all threads. */
    IN_TURN("task after task"),
    /** As many as there are threads, each on one thread. */
    AT_ONCE("a task per thread");

    private final String text;

    Tasks(String text) {
      this.text = text;
    }
  }

  /** What is tried with this many threads, in F32 and in the lowest precision allowed. */
  static List<Way> worthTrying(int threads, Precision lowest) {
    List<Way> ways = new ArrayList<>();
    for (Tasks tasks : threads == 1 ? List.of(Tasks.IN_TURN) : List.of(Tasks.values())) {
      for (Layout layout : Layout.values()) {
        for (Precision p : EnumSet.of(Precision.F32, lowest)) {
          ways.add(new Way(layout, tasks, p));
        }
      }
    }
    return ways;
  }

  @Override
  public String toString() {
    String text = layout.text + ", " + tasks.text;
    return precision == Precision.F32 ? text : text + ", " + precision.label() + " autocast";
  }
}
