package dev.vauban.bench.libtorch;

import dev.vauban.bench.peers.BatchStep;
import dev.vauban.bench.peers.BatchStep.Norms;
import java.util.ArrayList;
import java.util.List;

/**
 * One way to run a {@link BatchStep}.
 *
 * @param channelsLast whether images and kernels lie so in memory
 * @param slices into how many parts the images are divided; 1 where they share their statistics
 * @param threads that work on slices at the same time
 * @param each threads within an operation
 */
record BatchWay(boolean channelsLast, int slices, int threads, int each) {
  private static final int SLICE = 64; // images

  /** What is tried with this many threads. */
  static List<BatchWay> worthTrying(BatchStep step, int threads) {
    int images = step.labels().length;
    List<BatchWay> ways = new ArrayList<>();
    for (boolean last : new boolean[] {false, true}) {
      ways.add(new BatchWay(last, 1, 1, threads));
      if (step.norms() == Norms.FOLDED && images % threads == 0 && threads > 1) {
        ways.add(new BatchWay(last, threads, threads, 1));
      }
      if (step.norms() == Norms.FOLDED && images % SLICE == 0 && images / SLICE > threads) {
        ways.add(new BatchWay(last, images / SLICE, threads, 1));
      }
    }
    return ways;
  }

  @Override
  public String toString() {
    String layout = channelsLast ? "channels-last" : "channels first";
    return slices == 1
        ? layout + ", whole batch"
        : layout + ", " + slices + " slices, one per thread";
  }
}
