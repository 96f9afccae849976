package dev.vauban.bench.peers;

import java.util.Map;

/** A {@link PeerProgram} that a framework is ready to run, in one particular way. */
public interface PeerStep extends AutoCloseable {
  /**
   * Framework and way, with what makes it fast, for example {@code libtorch 2.10.0 (JVM), queries
   * channels-last}.
   */
  String name();

  /**
   * What the program is compared by, by name, in Vauban's layout: see {@link MetaStep} and {@link
   * BatchStep}.
   *
   * @throws PeerException if the framework fails
   */
  Map<String, float[]> result();

  /**
   * Runs the whole program once.
   *
   * @throws PeerException if the framework fails
   */
  Timing run();

  @Override
  void close();
}
