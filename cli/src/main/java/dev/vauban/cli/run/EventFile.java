package dev.vauban.cli.run;

import dev.vauban.cli.failure.Failure;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.zip.CRC32C;

/**
 * A TensorBoard event file with scalars. The format is TFRecord: length, masked CRC-32C of the
 * length, data, masked CRC-32C of the data, all little-endian; the data is a protobuf {@code Event}
 * of which five fields are needed, so they are encoded here rather than through a library.
 *
 * <pre>
 * Event   { double wall_time = 1; int64 step = 2; string file_version = 3; Summary summary = 5;
 *           SessionLog session_log = 7; }
 * Summary { repeated Value value = 1; }   Value { string tag = 1; float simple_value = 2; }
 * SessionLog { SessionStatus status = 1; }  // START = 1
 * </pre>
 */
public final class EventFile implements AutoCloseable {
  private static final int MASK_DELTA = 0xa282ead8;
  private static final int VARINT = 0;
  private static final int FIXED64 = 1;
  private static final int BYTES = 2;
  private static final int FIXED32 = 5;

  private final Path file;
  private final FileChannel channel;

  private EventFile(Path file, FileChannel channel) {
    this.file = file;
    this.channel = channel;
  }

  /**
   * Creates an event file in {@code folder}. TensorBoard reads all event files of a folder as one
   * run; a file that begins at {@code step} makes it forget what older files say from there on.
   *
   * @param step the first step that this file may hold; 0 for a new run
   * @param seconds the wall time since the epoch
   */
  static EventFile create(Path folder, long step, double seconds) {
    String name =
        "events.out.tfevents.%d.%d.%s"
            .formatted((long) seconds, ProcessHandle.current().pid(), "vauban");
    Path file = folder.resolve(name);
    try {
      FileChannel channel =
          FileChannel.open(
              file, StandardOpenOption.CREATE, StandardOpenOption.WRITE, StandardOpenOption.APPEND);
      EventFile events = new EventFile(file, channel);
      Message version = new Message().fixed64(1, seconds).text(3, "brain.Event:2");
      events.record(version.bytes());
      if (step > 0) {
        Message start = new Message().varint(1, 1);
        events.record(
            new Message().fixed64(1, seconds).varint(2, step).bytes(7, start.bytes()).bytes());
      }
      return events;
    } catch (IOException e) {
      throw Failure.writing(file, e);
    }
  }

  /** Writes scalars of one step. */
  public void scalars(long step, double seconds, Map<String, Double> values) {
    Message summary = new Message();
    values.forEach((tag, value) ->
        summary.bytes(1, new Message().text(1, tag).fixed32(2, value.floatValue()).bytes()));
    Message event = new Message().fixed64(1, seconds).varint(2, step).bytes(5, summary.bytes());
    try {
      record(event.bytes());
    } catch (IOException e) {
      throw Failure.writing(file, e);
    }
  }

  private void record(byte[] data) throws IOException {
    ByteBuffer record = ByteBuffer.allocate(data.length + 16).order(ByteOrder.LITTLE_ENDIAN);
    record.putLong(data.length);
    record.putInt(maskedCrc(record.array(), 0, 8));
    record.put(data);
    record.putInt(maskedCrc(data, 0, data.length));
    record.flip();
    while (record.hasRemaining()) {
      channel.write(record);
    }
  }

  /** TFRecord's checksum: CRC-32C rotated right by 15 bits plus a constant. */
  static int maskedCrc(byte[] bytes, int offset, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, offset, length);
    return Integer.rotateRight((int) crc.getValue(), 15) + MASK_DELTA;
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw Failure.writing(file, e);
    }
  }

  /** A protobuf message under construction. */
  private static final class Message {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    Message varint(int field, long value) {
      raw(field << 3 | VARINT);
      raw(value);
      return this;
    }

    Message fixed64(int field, double value) {
      raw(field << 3 | FIXED64);
      little(Double.doubleToRawLongBits(value), 8);
      return this;
    }

    Message fixed32(int field, float value) {
      raw(field << 3 | FIXED32);
      little(Float.floatToRawIntBits(value), 4);
      return this;
    }

    Message text(int field, String value) {
      return bytes(field, value.getBytes(StandardCharsets.UTF_8));
    }

    Message bytes(int field, byte[] value) {
      raw(field << 3 | BYTES);
      raw(value.length);
      out.writeBytes(value);
      return this;
    }

    byte[] bytes() {
      return out.toByteArray();
    }

    /** A base-128 varint. */
    private void raw(long value) {
      long rest = value;
      while ((rest & ~0x7FL) != 0) {
        out.write((int) (rest & 0x7F | 0x80));
        rest >>>= 7;
      }
      out.write((int) rest);
    }

    private void little(long bits, int bytes) {
      for (int i = 0; i < bytes; i++) {
        out.write((int) (bits >>> 8 * i));
      }
    }
  }
}
