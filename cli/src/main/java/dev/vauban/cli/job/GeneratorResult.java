package dev.vauban.cli.job;

import java.util.List;

/**
 * How a generator's training ended.
 *
 * @param run the run directory
 * @param surrogates whom it was taught on
 * @param iterations finished steps of both stages
 * @param fooled share of the surrogates' answers that the generator's most likely change fools, of
 *     the last metrics line; null if there is none yet
 * @param file the generator; null if the training is not at its end
 * @param seconds wall time of this session
 * @param processorSeconds processor time of this session, all threads together
 */
public record GeneratorResult(
    String run,
    List<Surrogate> surrogates,
    long iterations,
    Double fooled,
    String file,
    double seconds,
    double processorSeconds) {
  /**
   * A surrogate.
   *
   * @param network its name
   * @param accuracy on images that it was not trained on, 0..1
   */
  public record Surrogate(String network, double accuracy) {}
}
