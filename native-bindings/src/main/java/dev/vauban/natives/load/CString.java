package dev.vauban.natives.load;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;

/**
 * Texts owned by C code.
 *
 * <p>The JDK's own readers are called {@code getUtf8String} in 21 and {@code getString} from 22 on,
 * so one class file for both cannot use either.
 */
public final class CString {
  /** Longer than any text these libraries return; a bound against a wrong pointer. */
  private static final int LIMIT = 4096;

  private CString() {}

  /** The zero-terminated text at {@code address}, or an empty text at the null address. */
  public static String read(MemorySegment address) {
    if (address.address() == 0) {
      return "";
    }
    MemorySegment text = address.reinterpret(LIMIT);
    int length = 0;
    while (length < LIMIT && text.get(ValueLayout.JAVA_BYTE, length) != 0) {
      length++;
    }
    byte[] bytes = text.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
