package dev.vauban.bench.libtorch;

import dev.vauban.bench.peers.BatchStep;
import dev.vauban.bench.peers.BatchStep.Norms;
import dev.vauban.tensor.Precision;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;

/**
 * One way to run a {@link BatchStep}.
 *
 * @param channelsLast whether images and kernels lie so in memory
 * @param slices into how many parts the images are divided; 1 where they share their statistics
 * @param threads that work on slices at the same time
 * @param each threads within an operation
 * @param precision of convolutions and matrix products: F32, or by autocast
 */
record BatchWay(boolean channelsLast, int slices, int threads, int each, Precision precision) {
  private static final int SLICE = 64; // images

  /** What is tried with this many threads. */
  static List<BatchWay> worthTrying(BatchStep step, int threads) {
    if (step.ascent() != BatchStep.Ascent.PGD) {
      return List.of(); // only PGD is written here
    }
    return EnumSet.of(Precision.F32, step.precision()).stream()
        .flatMap(p -> worthTrying(step, threads, p).stream())
        .toList();
  }

  private static List<BatchWay> worthTrying(BatchStep step, int threads, Precision p) {
    int images = step.labels().length;
    List<BatchWay> ways = new ArrayList<>();
    for (boolean last : new boolean[] {false, true}) {
      ways.add(new BatchWay(last, 1, 1, threads, p));
      if (step.norms() == Norms.FOLDED && images % threads == 0 && threads > 1) {
        ways.add(new BatchWay(last, threads, threads, 1, p));
      }
      if (step.norms() == Norms.FOLDED && images % SLICE == 0 && images / SLICE > threads) {
        ways.add(new BatchWay(last, images / SLICE, threads, 1, p));
      }
    }
    return ways;
  }

  @Override
  public String toString() {
    String layout = channelsLast ? "channels-last" : "channels first";
    String parts = slices == 1 ? ", whole batch" : ", " + slices + " slices, one per thread";
    String text = layout + parts;
    return precision == Precision.F32 ? text : text + ", " + precision.label() + " autocast";
  }
}
