package dev.vauban.bench.peers.python;

import dev.vauban.bench.peers.Gradients;
import dev.vauban.bench.peers.MetaStep;
import dev.vauban.bench.peers.MetaStep.Values;
import dev.vauban.bench.peers.PeerException;
import dev.vauban.bench.peers.PeerStep;
import dev.vauban.bench.peers.Timing;
import dev.vauban.cli.terminal.Json;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One Python process that holds one meta-step; {@code peer.py} says how they talk. */
final class PythonSession {
  private static final String SCRIPT = "peer.py";

  private final Python python;
  private final MetaStep step;
  private final Process process;
  private final OutputStream to;
  private final DataInputStream from;
  private int open;

  private PythonSession(Python python, MetaStep step, Process process) {
    this.python = python;
    this.step = step;
    this.process = process;
    this.to = new BufferedOutputStream(process.getOutputStream(), 1 << 16);
    this.from = new DataInputStream(process.getInputStream());
  }

  static PythonSession start(Python python, MetaStep step, int threads) {
    try {
      Process process =
          new ProcessBuilder(python.interpreter().toString(), "-u", "-c", script())
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      PythonSession session = new PythonSession(python, step, process);
      session.send(threads);
      return session;
    } catch (IOException e) {
      throw new PeerException(python.name() + ": " + e.getMessage(), e);
    }
  }

  /** The program that the process runs. */
  static String script() {
    try (InputStream in = PythonSession.class.getResourceAsStream(SCRIPT)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What the first line says; the numbers follow in the same order. */
  private record Header(
      int threads,
      MetaStep.Adaptation adaptation,
      MetaStep.Attack attack,
      MetaStep.Adam adam,
      List<Leaf> weights,
      int tasks,
      int[] support,
      int[] query,
      boolean start) {}

  private record Leaf(String path, int[] shape) {}

  private void send(int threads) throws IOException {
    MetaStep.Task first = step.tasks().getFirst();
    boolean start = first.start() != null && first.start() != first.query();
    List<Leaf> leaves = new ArrayList<>();
    step.weights().forEach((path, w) -> leaves.add(new Leaf(path, w.shape())));
    Header header =
        new Header(
            threads,
            step.adaptation(),
            step.attack(),
            step.adam(),
            leaves,
            step.tasks().size(),
            first.support().shape(),
            first.query().shape(),
            start);
    line(Json.line(header));
    for (Values w : step.weights().values()) {
      to.write(bytes(w.data()));
    }
    for (MetaStep.Task t : step.tasks()) {
      to.write(bytes(t.support().data()));
      to.write(bytes(t.supportLabels()));
      to.write(bytes(t.query().data()));
      to.write(bytes(t.queryLabels()));
      if (start) {
        to.write(bytes(t.start().data()));
      }
    }
    to.flush();
  }

  /** The ways that the script offers. */
  List<PeerStep> ways() {
    Map<?, ?> hello = answer();
    List<PeerStep> ways = new ArrayList<>();
    for (Object name : (List<?>) hello.get("ways")) {
      ways.add(new Way(ways.size(), python.name() + ", " + name + ", " + hello.get("allocator")));
    }
    open = ways.size();
    return ways;
  }

  /** One way in this process. */
  private final class Way implements PeerStep {
    private final int number;
    private final String name;

    Way(int number, String name) {
      this.number = number;
      this.name = name;
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public Map<String, float[]> result() {
      return Gradients.mean(this::gradient, step.tasks().size());
    }

    private Map<String, float[]> gradient(int task) {
      command("gradient " + number + " " + task);
      Map<String, float[]> gradient = new LinkedHashMap<>();
      step.weights().forEach((path, w) -> gradient.put(path, floats(w.data().length)));
      return gradient;
    }

    @Override
    public Timing run() {
      Map<?, ?> took = command("run " + number);
      return new Timing(
          ((Number) took.get("seconds")).doubleValue(),
          ((Number) took.get("cpu_seconds")).doubleValue());
    }

    @Override
    public void close() {
      if (--open == 0) {
        process.destroy();
      }
    }
  }

  private Map<?, ?> command(String text) {
    try {
      line(text);
      to.flush();
    } catch (IOException e) {
      throw ended(e);
    }
    return answer();
  }

  private void line(String text) throws IOException {
    to.write((text + "\n").getBytes(StandardCharsets.UTF_8));
  }

  private Map<?, ?> answer() {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    try {
      for (int b = from.readUnsignedByte(); b != '\n'; b = from.readUnsignedByte()) {
        line.write(b);
      }
    } catch (IOException e) {
      throw ended(e);
    }
    Map<?, ?> answer = Json.read(line.toString(StandardCharsets.UTF_8), Map.class);
    if (answer.containsKey("error")) {
      throw new PeerException(python.name() + ": " + answer.get("error"), null);
    }
    return answer;
  }

  private float[] floats(int n) {
    float[] out = new float[n];
    byte[] bytes = new byte[4 * n];
    try {
      from.readFully(bytes);
    } catch (IOException e) {
      throw ended(e);
    }
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(out);
    return out;
  }

  private PeerException ended(IOException e) {
    return new PeerException(python.name() + ": the process ended early", e);
  }

  private static byte[] bytes(float[] values) {
    ByteBuffer b = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    b.asFloatBuffer().put(values);
    return b.array();
  }

  private static byte[] bytes(int[] values) {
    ByteBuffer b = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    b.asIntBuffer().put(values);
    return b.array();
  }
}
