package dev.vauban.bench.steps;

import dev.vauban.bench.peers.Framework;
import dev.vauban.bench.peers.PeerException;
import dev.vauban.bench.peers.PeerProgram;
import dev.vauban.bench.peers.PeerStep;
import dev.vauban.bench.peers.python.Python;
import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.terminal.Json;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.ObjectOutputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What a program costs besides its time: compiling, the first run of a fresh process, and memory.
 * Each program runs in a JVM of its own, with this JVM's options; so does each way of a framework
 * that runs on the JVM. Memory is the process's, a JVM that does nothing has {@link Report#idleMb}.
 *
 * @param bench its frameworks, console and interrupt
 */
public record Starts(StepBench bench) {
  private static final List<String> CASES = List.of("maml-28", "maml-28-20way", "rmaml-pgd-84");

  /**
   * All that was measured.
   *
   * @param idleMb memory of a JVM that does nothing, MiB
   * @param rows one for each program and number of threads
   */
  public record Report(double idleMb, List<Row> rows) {}

  /**
   * One program.
   *
   * @param name of the case
   * @param title for people
   * @param threads workers
   * @param compileSeconds tracing and compiling in a fresh process
   * @param againSeconds the same program once more in the same process
   * @param firstSeconds from the start of the JVM to the end of the first run
   * @param mostMb most resident memory of the process in five runs, MiB
   * @param peers every way of the other frameworks
   */
  public record Row(
      String name,
      String title,
      int threads,
      double compileSeconds,
      double againSeconds,
      double firstSeconds,
      double mostMb,
      List<Peer> peers) {}

  /**
   * One way of another framework.
   *
   * @param name of framework and way
   * @param firstSeconds from the start of the JVM to the end of the first run
   * @param lastMs milliseconds of the fifth run
   * @param mostMb most resident memory of the process in five runs, MiB
   */
  public record Peer(String name, double firstSeconds, double lastMs, double mostMb) {}

  /** Measures all programs at each number of threads. */
  public Report measure(List<Integer> threads) {
    return measure(CASES, threads);
  }

  /** Measures the meta-steps of these names. */
  Report measure(List<String> cases, List<Integer> threads) {
    double idle = said("nothing").mostMb();
    List<Row> rows = new ArrayList<>();
    for (String name : cases) {
      StepCase step = StepCase.of(name);
      for (int t : threads) {
        FreshProcess.Said ours = said("vauban", name, "" + t);
        bench.console().notice("%s, %d thread(s): %.0f MiB".formatted(name, t, ours.mostMb()));
        rows.add(
            new Row(
                name,
                step.title(),
                t,
                ours.compileSeconds(),
                ours.againSeconds(),
                ours.firstSeconds(),
                ours.mostMb(),
                peers(step, t)));
      }
    }
    return new Report(idle, rows);
  }

  private List<Peer> peers(StepCase step, int threads) {
    List<Framework> onTheJvm =
        bench.frameworks().stream().filter(f -> !(f instanceof Python)).toList();
    if (onTheJvm.isEmpty()) {
      return List.of();
    }
    PeerProgram program = numbers(step);
    try {
      Path file = Files.createTempFile("vauban-program", ".bin");
      try {
        try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file));
            ObjectOutputStream objects = new ObjectOutputStream(out)) {
          objects.writeObject(program);
        }
        List<Peer> peers = new ArrayList<>();
        for (Framework f : onTheJvm) {
          List<PeerStep> ways = f.ways(program, threads);
          ways.forEach(PeerStep::close);
          for (int i = 0; i < ways.size(); i++) {
            try {
              FreshProcess.Said s =
                  said(f.getClass().getName(), file.toString(), "" + threads, "" + i);
              bench.console().notice("  %s: %.0f MiB".formatted(s.name(), s.mostMb()));
              peers.add(new Peer(s.name(), s.firstSeconds(), s.lastMs(), s.mostMb()));
            } catch (PeerException e) {
              bench
                  .console()
                  .notice("left out: %s: %s".formatted(ways.get(i).name(), e.getMessage()));
            }
          }
        }
        return peers;
      } finally {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static PeerProgram numbers(StepCase step) {
    try (BoundStep bound = step.bind(1)) {
      return bound.numbers();
    }
  }

  /** The line that a process of its own says. */
  private FreshProcess.Said said(String... args) {
    bench.interrupt().check("nothing was written");
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add(FreshProcess.class.getName());
    command.addAll(List.of(args));
    try {
      Process process =
          new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
      String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      int code = process.waitFor();
      if (code != 0) {
        throw new PeerException("its process ended with code " + code, null);
      }
      return Json.read(out, FreshProcess.Said.class);
    } catch (IOException e) {
      throw CommandException.failed("a process cannot be started: " + e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw CommandException.failed("interrupted", e);
    }
  }
}
