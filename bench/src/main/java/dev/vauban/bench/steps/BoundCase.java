package dev.vauban.bench.steps;

import dev.vauban.bench.peers.PeerProgram;
import java.util.Map;

/**
 * A {@link BenchCase} compiled for a number of threads and bound to its data. Every run does the
 * same work on the same numbers.
 */
public sealed interface BoundCase extends AutoCloseable permits BoundStep, BoundBatch {
  /** What it runs. */
  BenchCase benchCase();

  /** Runs the program once. */
  void run();

  /** The numbers it works on, for another framework. */
  PeerProgram numbers();

  /** What the last run computed, by name: see {@link PeerProgram}. */
  Map<String, float[]> result();

  /** What it computes with every pixel moved up or down by {@code distance}. */
  Map<String, float[]> resultNear(double distance);

  /** Floating-point operations of one run by the plan's own count. */
  long flops();

  /** Bytes of the plan's working memory. */
  long bytes();

  /** Bytes that one run's kernels read and write, by the plan's own count; 0 if it has none. */
  long traffic();

  /** Seconds that tracing and compiling took. */
  double compileSeconds();

  @Override
  void close();
}
