package dev.vauban.bench.peers;

import java.util.List;

/**
 * Another framework that can run a {@link PeerProgram}. Those on the JVM are found by {@link
 * java.util.ServiceLoader}: the module bench-peers, which only the Maven profile {@code peers}
 * builds, brings libtorch.
 */
public interface Framework {
  /**
   * Loads what it needs.
   *
   * @throws PeerException if that fails
   */
  void load();

  /** Name and version. */
  String name();

  /**
   * The ways to run this program that are worth trying, ready to run; none if the framework does
   * not know such programs.
   *
   * @param threads how many threads the framework may use
   * @throws PeerException if the framework fails
   */
  List<PeerStep> ways(PeerProgram program, int threads);
}
