package dev.vauban.bench.steps;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vauban.bench.peers.MetaStep;
import dev.vauban.cli.terminal.Console;
import dev.vauban.cli.terminal.Interrupt;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class StartsTest {
  @Test
  void aFreshProcessSaysWhatItTook() {
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    Console console =
        Console.plain(
            new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8));
    Starts starts = new Starts(new StepBench(1, 0, List.of(), console, new Interrupt()));
    Starts.Report report = starts.measure(List.of("anil-28"), List.of(1));
    Starts.Row row = report.rows().getFirst();
    assertThat(row.peers()).isEmpty();
    assertThat(row.againSeconds()).isPositive();
    assertThat(row.firstSeconds())
        .isGreaterThan(row.compileSeconds()); // counted from the JVM's start
    assertThat(report.idleMb()).isGreaterThan(10);
    assertThat(row.mostMb()).isGreaterThan(report.idleMb() + 40); // the plan's slab alone is 44 MB
    assertThat(err.toString(StandardCharsets.UTF_8)).contains("anil-28, 1 thread(s)");
  }

  @Test
  void aProgramIsTheSameInAnotherProcess() throws IOException, ClassNotFoundException {
    MetaStep step;
    try (BoundStep bound = StepCase.of("rmaml-fgsm-84").small().bind(1)) {
      step = bound.numbers();
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      out.writeObject(step);
    }
    MetaStep read;
    try (ObjectInputStream in =
        new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
      read = (MetaStep) in.readObject();
    }
    assertThat(read).usingRecursiveComparison().isEqualTo(step);
    assertThat(read.weights().keySet()).containsExactlyElementsOf(step.weights().keySet());
    MetaStep.Task task = read.tasks().getFirst();
    assertThat(task.start()).isSameAs(task.query()); // FGSM sets out from the images themselves
  }
}
