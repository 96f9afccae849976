package dev.vauban.natives;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * Working memory in large pages. A step walks through hundreds of megabytes; with pages of 4 KiB
 * the processor's table of addresses covers a few of them, with pages of 2 MiB all. Linux hands
 * them out for the asking ({@code madvise}, transparent huge pages); elsewhere, or where the system
 * has none, memory is what an {@link Arena} gives.
 */
public final class LargePages {
  private static final long PAGE = 2L << 20;
  private static final long LEAST = 2 * PAGE; // below, the rounding would waste more than it saves

  // Of Linux on x86-64 and AArch64.
  private static final int READ_AND_WRITE = 0x1 | 0x2;
  private static final int PRIVATE_ANONYMOUS = 0x2 | 0x20;
  private static final int MADV_HUGEPAGE = 14;
  private static final long MAP_FAILED = -1;

  private LargePages() {}

  /**
   * Memory of zeros, aligned to 64 bytes at least.
   *
   * @param bytes its size, 1 or more
   * @param arena whose end is the memory's
   * @throws OutOfMemoryError if there is not so much
   */
  public static MemorySegment allocate(long bytes, Arena arena) {
    MemorySegment large =
        bytes >= LEAST && Calls.CALLS != null ? Calls.CALLS.map(bytes, arena) : null;
    return large != null ? large : arena.allocate(bytes, 64);
  }

  /** The C library's functions. */
  private record Calls(MethodHandle mmap, MethodHandle madvise, MethodHandle munmap) {
    /** Null where they are not Linux's, or may not be called. */
    static final Calls CALLS = find();

    private static Calls find() {
      if (!System.getProperty("os.name").equals("Linux") || ValueLayout.ADDRESS.byteSize() != 8) {
        return null;
      }
      MemoryLayout number = ValueLayout.JAVA_LONG;
      MemoryLayout flag = ValueLayout.JAVA_INT;
      try {
        return new Calls(
            handle("mmap", FunctionDescriptor.of(number, number, number, flag, flag, flag, number)),
            handle("madvise", FunctionDescriptor.of(flag, number, number, flag)),
            handle("munmap", FunctionDescriptor.of(flag, number, number)));
      } catch (IllegalCallerException e) { // this JVM forbids native calls
        return null;
      }
    }

    private static MethodHandle handle(String name, FunctionDescriptor type) {
      SymbolLookup c = Linker.nativeLinker().defaultLookup();
      return Linker.nativeLinker().downcallHandle(c.find(name).orElseThrow(), type);
    }

    /** Null if the system refuses. */
    MemorySegment map(long bytes, Arena arena) {
      try {
        long size = Math.addExact(bytes, PAGE); // room to begin at a page's beginning
        long at = (long) mmap.invokeExact(0L, size, READ_AND_WRITE, PRIVATE_ANONYMOUS, -1, 0L);
        if (at == MAP_FAILED) {
          return null;
        }
        long begin = (at + PAGE - 1) / PAGE * PAGE;
        int ignored = (int) madvise.invokeExact(begin, bytes, MADV_HUGEPAGE); // advice, no more
        return MemorySegment.ofAddress(begin).reinterpret(bytes, arena, s -> unmap(at, size));
      } catch (RuntimeException | Error e) {
        throw e;
      } catch (Throwable e) {
        throw new AssertionError(e); // these functions throw nothing
      }
    }

    private void unmap(long at, long size) {
      try {
        int ignored = (int) munmap.invokeExact(at, size);
      } catch (Throwable e) {
        throw new AssertionError(e);
      }
    }
  }
}
