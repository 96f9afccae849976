package dev.vauban.cli.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Reads event files back with a reader of its own: records, checksums, protobuf fields. */
class EventFileTest {
  @TempDir Path folder;

  /** An event as TensorBoard sees it. */
  private static final class Event {
    double wallTime;
    long step;
    String version;
    long sessionStatus;
    final Map<String, Float> scalars = new LinkedHashMap<>();
  }

  @Test
  void whatIsWrittenReadsBack() throws Exception {
    Map<String, Double> values = new LinkedHashMap<>();
    values.put("loss", 0.8321);
    values.put("robust/å", -1e-30);
    try (EventFile events = EventFile.create(folder, 0, 1_700_000_000.25)) {
      events.scalars(1, 1_700_000_001.5, values);
      events.scalars(300_000_000_000L, 1_700_000_002.0, Map.of("loss", Double.NaN));
    }
    List<Event> read = read();
    assertThat(read).hasSize(3);
    assertThat(read.get(0).version).isEqualTo("brain.Event:2");
    assertThat(read.get(0).wallTime).isEqualTo(1_700_000_000.25);
    assertThat(read.get(1).step).isEqualTo(1);
    assertThat(read.get(1).wallTime).isEqualTo(1_700_000_001.5);
    assertThat(read.get(1).scalars)
        .containsExactly(Map.entry("loss", 0.8321f), Map.entry("robust/å", (float) -1e-30));
    assertThat(read.get(2).step).isEqualTo(300_000_000_000L);
    assertThat(read.get(2).scalars.get("loss")).isNaN();
  }

  @Test
  void aResumedRunTellsWhereItBegins() throws Exception {
    EventFile.create(folder, 401, 1_700_000_000).close();
    List<Event> read = read();
    assertThat(read.get(1).step).isEqualTo(401);
    assertThat(read.get(1).sessionStatus).as("SessionLog.START").isEqualTo(1);
  }

  /** The check value of CRC-32C for "123456789" is e3069283; masked as TFRecord does. */
  @Test
  void theChecksumIsTheMaskedCastagnoli() {
    byte[] nine = "123456789".getBytes(StandardCharsets.US_ASCII);
    int crc = 0xe3069283;
    int masked = ((crc >>> 15) | (crc << 17)) + 0xa282ead8;
    assertThat(EventFile.maskedCrc(nine, 0, nine.length)).isEqualTo(masked);
  }

  private List<Event> read() throws Exception {
    Path file;
    try (var files = Files.list(folder)) {
      file = files.findFirst().orElseThrow();
    }
    assertThat(file.getFileName().toString()).startsWith("events.out.tfevents.1700000000.");
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    List<Event> events = new ArrayList<>();
    while (bytes.hasRemaining()) {
      byte[] length = new byte[8];
      bytes.get(length);
      assertThat(unmask(bytes.getInt())).isEqualTo(crc(length));
      byte[] data =
          new byte[(int) ByteBuffer.wrap(length).order(ByteOrder.LITTLE_ENDIAN).getLong()];
      bytes.get(data);
      assertThat(unmask(bytes.getInt())).isEqualTo(crc(data));
      events.add(event(ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN)));
    }
    return events;
  }

  private static int unmask(int masked) {
    return Integer.rotateLeft(masked - 0xa282ead8, 15);
  }

  private static int crc(byte[] bytes) {
    CRC32C crc = new CRC32C();
    crc.update(bytes);
    return (int) crc.getValue();
  }

  private static Event event(ByteBuffer in) {
    Event event = new Event();
    while (in.hasRemaining()) {
      long key = varint(in);
      switch ((int) key) {
        case 1 << 3 | 1 -> event.wallTime = in.getDouble();
        case 2 << 3 -> event.step = varint(in);
        case 3 << 3 | 2 -> event.version = text(message(in));
        case 5 << 3 | 2 -> summary(message(in), event);
        case 7 << 3 | 2 -> {
          ByteBuffer session = message(in);
          assertThat(varint(session)).isEqualTo(1 << 3);
          event.sessionStatus = varint(session);
        }
        default -> throw new AssertionError("unexpected field " + key);
      }
    }
    return event;
  }

  private static void summary(ByteBuffer in, Event event) {
    while (in.hasRemaining()) {
      assertThat(varint(in)).isEqualTo(1 << 3 | 2);
      ByteBuffer value = message(in);
      assertThat(varint(value)).isEqualTo(1 << 3 | 2);
      String tag = text(message(value));
      assertThat(varint(value)).isEqualTo(2 << 3 | 5);
      event.scalars.put(tag, value.getFloat());
    }
  }

  private static ByteBuffer message(ByteBuffer in) {
    int length = (int) varint(in);
    ByteBuffer part = in.slice(in.position(), length).order(ByteOrder.LITTLE_ENDIAN);
    in.position(in.position() + length);
    return part;
  }

  private static String text(ByteBuffer in) {
    return StandardCharsets.UTF_8.decode(in).toString();
  }

  private static long varint(ByteBuffer in) {
    long value = 0;
    for (int shift = 0; ; shift += 7) {
      byte b = in.get();
      value |= (b & 0x7FL) << shift;
      if (b >= 0) {
        return value;
      }
    }
  }
}
