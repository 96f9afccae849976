package dev.vauban.bench.steps;

import dev.vauban.bench.peers.Framework;
import dev.vauban.bench.peers.PeerProgram;
import dev.vauban.bench.peers.PeerStep;
import dev.vauban.cli.terminal.Json;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.ObjectInputStream;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.ServiceLoader;

/**
 * The main class of the processes that {@link Starts} starts: one program, a few runs, one line.
 */
final class FreshProcess {
  private static final int RUNS = 5;

  private FreshProcess() {}

  /**
   * What such a process says of itself.
   *
   * @param name who ran the program, and which way
   * @param firstSeconds from the start of the JVM to the end of the first run
   * @param lastMs the last run's milliseconds: a process just started, not a steady state
   * @param compileSeconds tracing and compiling, ours only
   * @param againSeconds the same program once more in the same process, ours only
   * @param mostMb most resident memory that the process ever had, MiB
   */
  record Said(
      String name,
      double firstSeconds,
      double lastMs,
      double compileSeconds,
      double againSeconds,
      double mostMb) {}

  /**
   * Runs {@code vauban CASE THREADS}, {@code FRAMEWORK FILE THREADS WAY} with the program in a file
   * and the number of a way, or {@code nothing}.
   */
  public static void main(String[] args) throws IOException, ClassNotFoundException {
    Said said =
        switch (args[0]) {
          case "nothing" -> new Said("nothing", 0, 0, 0, 0, Resident.mostMegabytes());
          case "vauban" -> ours(args[1], Integer.parseInt(args[2]));
          default ->
              theirs(
                  framework(args[0]),
                  read(Path.of(args[1])),
                  Integer.parseInt(args[2]),
                  Integer.parseInt(args[3]));
        };
    System.out.println(Json.line(said));
    System.exit(0); // a framework's threads may live on
  }

  private static Said ours(String name, int threads) {
    double first;
    double last;
    double compile;
    double most;
    try (BoundStep step = StepCase.of(name).bind(threads)) {
      step.run();
      first = sinceStart();
      last = lastMs(step::run);
      compile = step.compileSeconds();
      most = Resident.mostMegabytes();
    }
    try (BoundStep again = StepCase.of(name).bind(threads)) {
      return new Said("Vauban", first, last, compile, again.compileSeconds(), most);
    }
  }

  private static Said theirs(Framework f, PeerProgram program, int threads, int number) {
    f.load();
    List<PeerStep> ways = f.ways(program, threads);
    try (PeerStep way = ways.get(number)) {
      way.run();
      double first = sinceStart();
      double last = lastMs(way::run);
      return new Said(way.name(), first, last, 0, 0, Resident.mostMegabytes());
    }
  }

  private static double lastMs(Runnable run) {
    long began = 0;
    for (int i = 1; i < RUNS; i++) {
      began = System.nanoTime();
      run.run();
    }
    return (System.nanoTime() - began) / 1e6;
  }

  private static double sinceStart() {
    return (System.currentTimeMillis() - ManagementFactory.getRuntimeMXBean().getStartTime()) / 1e3;
  }

  private static Framework framework(String className) {
    return ServiceLoader.load(Framework.class).stream()
        .filter(p -> p.type().getName().equals(className))
        .findFirst()
        .orElseThrow()
        .get();
  }

  private static PeerProgram read(Path file) throws IOException, ClassNotFoundException {
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file));
        ObjectInputStream objects = new ObjectInputStream(in)) {
      return (PeerProgram) objects.readObject();
    }
  }
}
