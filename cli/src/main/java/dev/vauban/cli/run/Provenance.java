package dev.vauban.cli.run;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * Where a run's result comes from: enough to repeat it and to tell why a repetition differs.
 *
 * @param version Vauban's version
 * @param seed the seed of all randomness
 * @param data the data set as the user named it
 * @param dataSha256 the hash of the decoded data
 * @param device what computed, e.g. {@code cpu, oneDNN 3.11, AVX-512, 2 workers}
 * @param sessions each process that worked on the run, the first first
 */
public record Provenance(
    String version,
    long seed,
    String data,
    String dataSha256,
    String device,
    List<Session> sessions) {

  /**
   * One process that worked on the run.
   *
   * @param started when, in UTC
   * @param fromStep the step it began at; 0 for a new run
   * @param arguments its command line
   * @param jdk vendor and version of the JVM
   * @param system operating system and architecture
   * @param cores processors the JVM may use
   */
  public record Session(
      String started, long fromStep, List<String> arguments, String jdk, String system, int cores) {

    /** This process. */
    public static Session ofProcess(long fromStep, List<String> arguments) {
      return new Session(
          Instant.now().toString(),
          fromStep,
          List.copyOf(arguments),
          System.getProperty("java.vendor") + " " + System.getProperty("java.runtime.version"),
          System.getProperty("os.name")
              + " "
              + System.getProperty("os.version")
              + " "
              + System.getProperty("os.arch"),
          Runtime.getRuntime().availableProcessors());
    }
  }

  /** This provenance with one more session. */
  public Provenance and(Session session) {
    List<Session> all = new ArrayList<>(sessions);
    all.add(session);
    return new Provenance(version, seed, data, dataSha256, device, List.copyOf(all));
  }
}
