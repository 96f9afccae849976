package dev.vauban.bench.gpu;

import java.util.List;

/**
 * One program, timed beside peers in turns.
 *
 * @param name of the program
 * @param tasks of a step, or images of a batch
 * @param precision {@code f32}, {@code tf32} or {@code bf16}
 * @param milliseconds of a step, the median, from its start to the host's knowing that it is done;
 *     weights, images and results stay on the card, as with the peers
 * @param cardMilliseconds of the step's graph by the card's clock, the mean; NaN if not a card's
 * @param launches of graphs per step
 * @param idleShare of the time of steps in which no graph ran on the card; NaN if not a card's
 * @param gflop of a step by the plan's count
 * @param matmulShare of the card's rate in large matrix products of this precision; NaN if unknown
 * @param gigabytes that a step's kernels read and write by the plan's count, each array once; NaN
 *     if not counted
 * @param memoryShare of the card's rate in copies within its memory; NaN if unknown
 * @param compileSeconds tracing and compiling
 * @param megabytes that the plan takes on the card
 * @param peers timed beside it
 * @param failure why the program did not run; empty if it did
 */
record SpeedRow(
    String name,
    int tasks,
    String precision,
    double milliseconds,
    double cardMilliseconds,
    double launches,
    double idleShare,
    double gflop,
    double matmulShare,
    double gigabytes,
    double memoryShare,
    double compileSeconds,
    double megabytes,
    List<Peer> peers,
    String failure) {
  /**
   * Another framework's way.
   *
   * @param name framework, version and way
   * @param milliseconds the median; NaN if it was left out
   * @param error of its result on the small program, relative to ours
   * @param failure why it was left out; empty if it ran
   */
  record Peer(String name, double milliseconds, double error, String failure) {}

  static SpeedRow failed(String name, int tasks, String precision, Throwable why) {
    double none = Double.NaN;
    String sentence = why.getMessage() == null ? why.toString() : why.getMessage();
    return new SpeedRow(
        name, tasks, precision, none, none, none, none, none, none, none, none, none, none,
        List.of(), sentence);
  }

  /** The best peer's time over ours; NaN without peers. */
  double speedup() {
    return peers.stream()
            .mapToDouble(Peer::milliseconds)
            .filter(Double::isFinite)
            .min()
            .orElse(Double.NaN)
        / milliseconds;
  }
}
