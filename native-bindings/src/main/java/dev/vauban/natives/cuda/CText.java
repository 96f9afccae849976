package dev.vauban.natives.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Texts for C code; the JDK's own writers have different names in 21 and 22. */
final class CText {
  private CText() {}

  /** The text with a zero behind it. */
  static MemorySegment of(String text, Arena arena) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    MemorySegment copy = arena.allocate(bytes.length + 1L);
    MemorySegment.copy(bytes, 0, copy, ValueLayout.JAVA_BYTE, 0, bytes.length);
    return copy;
  }

  /** {@code const char*[]}. */
  static MemorySegment array(List<String> texts, Arena arena) {
    long size = ValueLayout.ADDRESS.byteSize();
    MemorySegment array = arena.allocate(Math.max(1, texts.size()) * size, size);
    for (int i = 0; i < texts.size(); i++) {
      array.set(ValueLayout.ADDRESS, i * size, of(texts.get(i), arena));
    }
    return array;
  }

  /** The text in a buffer that C code filled, up to its zero. */
  static String read(MemorySegment buffer) {
    byte[] bytes = buffer.toArray(ValueLayout.JAVA_BYTE);
    int length = 0;
    while (length < bytes.length && bytes[length] != 0) {
      length++;
    }
    return new String(bytes, 0, length, StandardCharsets.UTF_8);
  }
}
