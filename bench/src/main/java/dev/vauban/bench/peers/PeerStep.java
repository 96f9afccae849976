package dev.vauban.bench.peers;

import java.util.Map;

/** A {@link MetaStep} that a framework is ready to run, in one particular way. */
public interface PeerStep extends AutoCloseable {
  /**
   * Framework and way, with what makes it fast, for example {@code libtorch 2.10.0 (JVM), queries
   * channels-last}.
   */
  String name();

  /**
   * The meta-gradient of one task, by path, in the layout of {@link MetaStep#weights}.
   *
   * @throws PeerException if the framework fails
   */
  Map<String, float[]> gradient(int task);

  /**
   * Runs the whole step once.
   *
   * @throws PeerException if the framework fails
   */
  Timing run();

  @Override
  void close();
}
