package dev.vauban.natives.onednn;

import dev.vauban.natives.onednn.generated.Dnnl;
import dev.vauban.natives.onednn.generated.dnnl_exec_arg_t;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * A kernel with one worker's argument list: everything that an execution needs, made beforehand, so
 * that running writes at most a few addresses and makes one call.
 */
final class Binding implements AutoCloseable {
  private final Kernel kernel;
  private final String subject;
  private final long primitive;
  private final long[] memories;
  private final long[] addresses;

  /** The {@code dnnl_exec_arg_t}s; the field keeps the memory behind {@link #list} alive. */
  private final MemorySegment arguments;

  private final long list;

  Binding(Kernel kernel, MemorySegment engine, String subject) {
    this.kernel = kernel;
    this.subject = subject;
    this.primitive = kernel.primitive().address();
    int operands = kernel.slots().length;
    int count = kernel.scratchpadBytes() > 0 ? operands + 1 : operands;
    this.memories = new long[count];
    this.addresses = new long[count];
    this.arguments = dnnl_exec_arg_t.allocateArray(count, Arena.ofAuto());
    this.list = arguments.address();
    try {
      for (int i = 0; i < operands; i++) {
        add(i, kernel.slots()[i], kernel.layouts()[i], engine);
      }
      if (count > operands) {
        add(operands, Dnnl.DNNL_ARG_SCRATCHPAD(), kernel.scratchpad(), engine);
      }
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  private void add(int index, int slot, MemorySegment layout, MemorySegment engine) {
    MemorySegment memory =
        Kernel.create(
            out -> Dnnl.dnnl_memory_create(out, layout, engine, MemorySegment.NULL),
            "dnnl_memory_create",
            subject);
    memories[index] = memory.address();
    MemorySegment argument = dnnl_exec_arg_t.asSlice(arguments, index);
    dnnl_exec_arg_t.arg(argument, slot);
    dnnl_exec_arg_t.memory(argument, memory);
  }

  /** Points operand {@code index} at {@code address}; free where it already does. */
  void bind(int index, long address) {
    if (addresses[index] != address) {
      int status = Calls.setDataHandle(memories[index], address);
      if (status != 0) {
        throw Calls.failure(status, "dnnl_memory_set_data_handle", subject);
      }
      addresses[index] = address;
    }
  }

  void bindScratchpad(long address) {
    if (memories.length > kernel.slots().length) {
      bind(memories.length - 1, address);
    }
  }

  void execute(long stream) {
    int status = Calls.execute(primitive, stream, memories.length, list);
    if (status != 0) {
      throw Calls.failure(status, "dnnl_primitive_execute", subject);
    }
  }

  @Override
  public void close() {
    for (int i = 0; i < memories.length; i++) {
      if (memories[i] != 0) {
        Dnnl.dnnl_memory_destroy(MemorySegment.ofAddress(memories[i]));
        memories[i] = 0;
      }
    }
  }
}
