package dev.vauban.natives.load;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * The outside of a Linux library, read before the dynamic linker sees it.
 *
 * <p>The linker and the JVM around it trust a file too much: one that is cut off, or no library at
 * all, can end the whole process instead of being refused.
 */
final class ElfFile {
  private static final int MAGIC = 0x7F454C46;
  private static final int HEADER_BYTES = 64;
  private static final int BITS_64 = 2;
  private static final int LITTLE_ENDIAN = 1;
  private static final int SHARED_OBJECT = 3;
  private static final int X86_64 = 62;
  private static final int AARCH64 = 183;
  private static final int SEGMENT_BYTES = 56;
  private static final int SECTION_BYTES = 64;

  private ElfFile() {}

  /** Why {@code file} cannot be a library for this machine; empty if nothing is wrong with it. */
  static Optional<String> defect(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      long size = channel.size();
      if (size == 0) {
        return Optional.of("the file is empty");
      }
      ByteBuffer header = read(channel, 0, HEADER_BYTES);
      if (header.remaining() < HEADER_BYTES
          || header.order(ByteOrder.BIG_ENDIAN).getInt(0) != MAGIC) {
        return Optional.of("it is not a shared library (it does not start as an ELF file)");
      }
      header.order(ByteOrder.LITTLE_ENDIAN);
      boolean kind = header.get(4) == BITS_64 && header.get(5) == LITTLE_ENDIAN;
      if (!kind || header.getShort(18) != machine()) {
        return Optional.of("it is for another kind of processor than this JVM's");
      }
      if (header.getShort(16) != SHARED_OBJECT) {
        return Optional.of("it is an ELF file, but not a shared library");
      }
      long needed = bytesNeeded(channel, header);
      return needed > size
          ? Optional.of("it is cut off: " + size + " bytes of at least " + needed)
          : Optional.empty();
    }
  }

  private static int machine() {
    return System.getProperty("os.arch").equals("aarch64") ? AARCH64 : X86_64;
  }

  /** Where the last thing that the headers speak of ends. */
  private static long bytesNeeded(FileChannel channel, ByteBuffer header) throws IOException {
    long segments = header.getLong(32);
    int segmentCount = Short.toUnsignedInt(header.getShort(56));
    long sections = header.getLong(40);
    int sectionCount = Short.toUnsignedInt(header.getShort(60));
    long tables =
        Math.max(
            segments + (long) segmentCount * SEGMENT_BYTES,
            sections + (long) sectionCount * SECTION_BYTES);
    if (segments < 0 || sections < 0 || tables > channel.size()) {
      return Math.max(tables, channel.size() + 1);
    }
    long needed = tables;
    ByteBuffer table = read(channel, segments, segmentCount * SEGMENT_BYTES);
    for (int i = 0; i < segmentCount; i++) {
      long offset = table.getLong(i * SEGMENT_BYTES + 8);
      long bytes = table.getLong(i * SEGMENT_BYTES + 32);
      // Absurd (negative) values count as out of reach.
      needed = Math.max(needed, offset < 0 || bytes < 0 ? Long.MAX_VALUE : offset + bytes);
    }
    return needed;
  }

  private static ByteBuffer read(FileChannel channel, long position, int bytes) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    while (buffer.hasRemaining()) {
      int count = channel.read(buffer, position + buffer.position());
      if (count < 0) {
        break;
      }
    }
    return buffer.flip().order(ByteOrder.LITTLE_ENDIAN);
  }
}
