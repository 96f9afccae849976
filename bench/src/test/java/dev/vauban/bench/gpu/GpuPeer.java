package dev.vauban.bench.gpu;

import dev.vauban.bench.peers.BatchStep;
import dev.vauban.bench.peers.MetaStep;
import dev.vauban.bench.peers.MetaStep.Values;
import dev.vauban.bench.peers.PeerException;
import dev.vauban.bench.peers.PeerProgram;
import dev.vauban.cli.terminal.Json;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** One Python process that holds one program on a device; peer_protocol.py says how they talk. */
final class GpuPeer implements AutoCloseable {
  private final String script;
  private final PeerProgram program;
  private final Process process;
  private final OutputStream to;
  private final DataInputStream from;
  private final long seconds;
  private final String name;
  private final List<String> ways = new ArrayList<>();

  /**
   * Starts a process and hands it the program.
   *
   * @param python the interpreter
   * @param script of this peer, in the folder with the protocol's
   * @param device {@code cuda} or {@code cpu}
   * @param precision {@code f32}, {@code tf32} or {@code bf16}
   * @param seconds that one answer may take
   * @throws PeerException if it cannot run the program; the message says why
   */
  GpuPeer(
      Path python,
      Path script,
      PeerProgram program,
      String device,
      String precision,
      long seconds) {
    this.script = script.getFileName().toString();
    this.program = program;
    this.seconds = seconds;
    try {
      ProcessBuilder builder = new ProcessBuilder(python.toString(), "-u", script.toString());
      builder.environment().put("PYTHONDONTWRITEBYTECODE", "1");
      this.process = builder.redirectError(ProcessBuilder.Redirect.DISCARD).start();
    } catch (IOException e) {
      throw new PeerException(this.script + ": " + e.getMessage(), e);
    }
    this.to = new BufferedOutputStream(process.getOutputStream(), 1 << 16);
    this.from = new DataInputStream(process.getInputStream());
    try {
      send(device, precision);
      Map<?, ?> hello = inTime(this::answer);
      this.name = String.valueOf(hello.get("name"));
      ((List<?>) hello.get("ways")).forEach(way -> ways.add(String.valueOf(way)));
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /** Framework and version. */
  String name() {
    return name;
  }

  /** What it offers, by number. */
  List<String> ways() {
    return ways;
  }

  /** What a way computes, in Vauban's layout. */
  Map<String, float[]> result(int way) {
    return inTime(() -> {
      command("result " + way);
      Map<String, float[]> result = new LinkedHashMap<>();
      switch (program) {
        case MetaStep m ->
            m.weights().forEach((path, w) -> result.put(path, floats(w.data().length)));
        case BatchStep b -> result.put("perturbation", floats(b.images().data().length));
      }
      return result;
    });
  }

  /** Seconds of one run. */
  double run(int way) {
    return inTime(() -> ((Number) command("run " + way).get("seconds")).doubleValue());
  }

  private interface Exchange<T> {
    T run();
  }

  private <T> T inTime(Exchange<T> exchange) {
    CompletableFuture<T> done = CompletableFuture.supplyAsync(exchange::run);
    try {
      return done.get(seconds, TimeUnit.SECONDS);
    } catch (TimeoutException e) {
      close();
      throw new PeerException(script + " took more than " + seconds + " s", e);
    } catch (ExecutionException e) {
      throw e.getCause() instanceof PeerException p ? p : new PeerException(script + ": " + e, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new PeerException(script + " was interrupted", e);
    }
  }

  private record Leaf(String path, int[] shape) {}

  private void send(String device, String precision) {
    Map<String, Object> header = new LinkedHashMap<>();
    List<Object> data = new ArrayList<>();
    header.put("device", device);
    header.put("precision", precision);
    switch (program) {
      case MetaStep m -> {
        MetaStep.Task first = m.tasks().getFirst();
        boolean start = first.start() != null && first.start() != first.query();
        header.put("kind", "meta");
        header.put("adaptation", m.adaptation());
        header.put("attack", m.attack());
        header.put("adam", m.adam());
        header.put("weights", leaves(m.weights()));
        header.put("tasks", m.tasks().size());
        header.put("support", first.support().shape());
        header.put("query", first.query().shape());
        header.put("start", start);
        m.weights().values().forEach(w -> data.add(w.data()));
        for (MetaStep.Task t : m.tasks()) {
          data.addAll(
              List.of(t.support().data(), t.supportLabels(), t.query().data(), t.queryLabels()));
          if (start) {
            data.add(t.start().data());
          }
        }
      }
      case BatchStep b -> {
        if (b.norms() != BatchStep.Norms.FOLDED || b.update() != null) {
          throw new PeerException("no peer here trains on attacked batches", null);
        }
        header.put("kind", "batch");
        header.put("network", b.network());
        header.put("ascent", b.ascent());
        header.put("attack", b.attack());
        header.put("weights", leaves(b.weights()));
        header.put("images", b.images().shape());
        b.weights().values().forEach(w -> data.add(w.data()));
        data.addAll(List.of(b.images().data(), b.start().data(), b.labels()));
      }
    }
    try {
      line(Json.line(header));
      for (Object array : data) {
        to.write(array instanceof float[] f ? bytes(f) : bytes((int[]) array));
      }
      to.flush();
    } catch (IOException e) {
      // It may have ended with an answer that says why.
    }
  }

  private static List<Leaf> leaves(Map<String, Values> weights) {
    return weights.entrySet().stream()
        .map(e -> new Leaf(e.getKey(), e.getValue().shape()))
        .toList();
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
      throw new PeerException(script + ": " + answer.get("error"), null);
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
    return new PeerException(script + ": the process ended early", e);
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

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
