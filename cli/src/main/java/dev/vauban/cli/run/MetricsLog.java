package dev.vauban.cli.run;

import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.failure.Failure;
import dev.vauban.cli.terminal.Json;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;

/**
 * The numbers of a run over its steps, one JSON object a line: {@code
 * {"step":100,"seconds":12.5,"loss":0.83}}. Lines are only ever appended, each in one write, so a
 * crash can tear at most the last one; reading drops a torn line.
 */
public final class MetricsLog implements AutoCloseable {
  private final Path file;
  private final FileChannel channel;

  private MetricsLog(Path file, FileChannel channel) {
    this.file = file;
    this.channel = channel;
  }

  /**
   * A line of the log.
   *
   * @param step the step that the numbers belong to
   * @param values the numbers by name
   */
  public record Line(long step, Map<String, Double> values) {}

  /** Opens the log to append to it. */
  static MetricsLog open(Path file) {
    try {
      FileChannel channel =
          FileChannel.open(
              file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.APPEND);
      return new MetricsLog(file, channel);
    } catch (IOException e) {
      throw Failure.writing(file, e);
    }
  }

  /**
   * Removes what was logged after {@code step} (and a torn last line), so that a run resumed there
   * logs each step once.
   */
  static void truncateAfter(Path file, long step) {
    if (!Files.exists(file)) {
      return;
    }
    StringBuilder kept = new StringBuilder();
    for (String line : lines(file)) {
      Line parsed = parse(line);
      if (parsed != null && parsed.step <= step) {
        kept.append(line).append('\n');
      }
    }
    AtomicFile.write(file, kept.toString());
  }

  /**
   * Appends one line. Numbers that JSON cannot express (NaN, infinities) become null.
   *
   * @throws CommandException exit 1 if the disk is full
   */
  public void append(long step, Map<String, Double> values) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("step", step);
    values.forEach((name, value) -> line.put(name, Double.isFinite(value) ? value : null));
    ByteBuffer bytes = ByteBuffer.wrap((Json.line(line) + "\n").getBytes(StandardCharsets.UTF_8));
    try {
      while (bytes.hasRemaining()) {
        channel.write(bytes);
      }
    } catch (IOException e) {
      throw Failure.writing(file, e);
    }
  }

  /** Forces what was appended to the disk. */
  public void force() {
    try {
      channel.force(false);
    } catch (IOException e) {
      throw Failure.writing(file, e);
    }
  }

  /** The readable lines of a log; none if the file does not exist. */
  public static List<Line> read(Path file) {
    List<Line> lines = new ArrayList<>();
    if (Files.exists(file)) {
      for (String text : lines(file)) {
        Line line = parse(text);
        if (line != null) {
          lines.add(line);
        }
      }
    }
    return lines;
  }

  private static List<String> lines(Path file) {
    try {
      return Files.readString(file).lines().toList();
    } catch (IOException e) {
      throw CommandException.badInput("cannot read " + file + ": " + Failure.reason(e), e);
    }
  }

  /** The line, or null if it is torn. */
  private static Line parse(String text) {
    try {
      Map<?, ?> json = Json.read(text, Map.class);
      Map<String, Double> values = new LinkedHashMap<>();
      json.forEach((name, value) -> {
        if (!name.equals("step")) {
          values.put((String) name, value instanceof Number n ? n.doubleValue() : Double.NaN);
        }
      });
      return json.get("step") instanceof Number step ? new Line(step.longValue(), values) : null;
    } catch (JacksonException e) {
      return null;
    }
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw Failure.writing(file, e);
    }
  }
}
