package dev.vauban.natives.onednn;

import dev.vauban.natives.load.CString;
import dev.vauban.natives.onednn.generated.Dnnl;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * One oneDNN primitive: code for one operation on fixed shapes, without any data. Any number of
 * threads may execute it at once, each with memory objects and a scratchpad of its own.
 *
 * @param primitive the primitive's handle
 * @param slots oneDNN's argument numbers, in the order of {@code layouts}
 * @param layouts the memory descriptor of each argument
 * @param scratchpad the descriptor of its scratchpad
 * @param scratchpadBytes size of its scratchpad; 0 if it has none
 * @param implementation oneDNN's name of the code it chose, such as {@code brgconv:avx512_core}
 */
record Kernel(
    MemorySegment primitive,
    int[] slots,
    MemorySegment[] layouts,
    MemorySegment scratchpad,
    long scratchpadBytes,
    String implementation) {

  /** Native objects that live and die together; freed in reverse order of creation. */
  static final class Owner implements AutoCloseable {
    private final Deque<Runnable> destructors = new ArrayDeque<>();

    void add(Runnable destructor) {
      destructors.push(destructor);
    }

    @Override
    public void close() {
      while (!destructors.isEmpty()) {
        destructors.pop().run();
      }
    }
  }

  /** A call that stores a handle through its first argument and returns a status. */
  @FunctionalInterface
  interface Creation {
    int call(MemorySegment out);
  }

  /** The handle that {@code creation} stores. */
  static MemorySegment create(Creation creation, String function, Object subject) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
      Calls.check(creation.call(out), function, subject);
      return out.get(ValueLayout.ADDRESS, 0);
    }
  }

  /** Compiles a primitive from its descriptor, which {@code owner} keeps for its lifetime. */
  static Kernel compile(
      Owner owner, MemorySegment descriptor, int[] slots, MemorySegment[] layouts, Object subject) {
    owner.add(() -> Dnnl.dnnl_primitive_desc_destroy(descriptor));
    MemorySegment primitive =
        create(
            out -> Dnnl.dnnl_primitive_create(out, descriptor), "dnnl_primitive_create", subject);
    owner.add(() -> Dnnl.dnnl_primitive_destroy(primitive));
    MemorySegment scratchpad =
        Dnnl.dnnl_primitive_desc_query_md(descriptor, Dnnl.dnnl_query_scratchpad_md(), 0);
    MemorySegment name =
        create(
            out ->
                Dnnl.dnnl_primitive_desc_query(descriptor, Dnnl.dnnl_query_impl_info_str(), 0, out),
            "dnnl_primitive_desc_query",
            subject);
    return new Kernel(
        primitive,
        slots,
        layouts,
        scratchpad,
        Dnnl.dnnl_memory_desc_get_size(scratchpad),
        CString.read(name));
  }
}
