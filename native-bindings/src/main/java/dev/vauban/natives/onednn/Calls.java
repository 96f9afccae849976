package dev.vauban.natives.onednn;

import dev.vauban.natives.NativeException;
import dev.vauban.natives.load.CString;
import dev.vauban.natives.onednn.generated.Dnnl;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * The calls of the hot path, and what every call has in common: its status becomes an exception.
 *
 * <p>jextract's signatures take {@code MemorySegment}s, and an address that changes from call to
 * call would need a new one each time. These handles take the bare address: nothing is allocated.
 */
final class Calls {
  private static final MethodHandle EXECUTE =
      Linker.nativeLinker()
          .downcallHandle(
              Dnnl.dnnl_primitive_execute$address(),
              FunctionDescriptor.of(
                  ValueLayout.JAVA_INT,
                  ValueLayout.JAVA_LONG,
                  ValueLayout.JAVA_LONG,
                  ValueLayout.JAVA_INT,
                  ValueLayout.JAVA_LONG));

  private static final MethodHandle SET_DATA_HANDLE =
      Linker.nativeLinker()
          .downcallHandle(
              Dnnl.dnnl_memory_set_data_handle$address(),
              FunctionDescriptor.of(
                  ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));

  private Calls() {}

  static int execute(long primitive, long stream, int count, long arguments) {
    try {
      return (int) EXECUTE.invokeExact(primitive, stream, count, arguments);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  static int setDataHandle(long memory, long address) {
    try {
      return (int) SET_DATA_HANDLE.invokeExact(memory, address);
    } catch (Throwable e) {
      throw unexpected(e);
    }
  }

  /**
   * Turns a status other than success into an exception.
   *
   * @param subject what the call was for, as the user should read it
   */
  static void check(int status, String function, Object subject) {
    if (status != 0) {
      throw failure(status, function, subject);
    }
  }

  static NativeException failure(int status, String function, Object subject) {
    return new NativeException(
        function,
        status,
        function
            + " returned "
            + status
            + " ("
            + CString.read(Dnnl.dnnl_status2str(status))
            + ") for "
            + subject
            + "; oneDNN "
            + OneDnn.status().version()
            + ", "
            + OneDnn.status().path());
  }

  /** A downcall has no checked exceptions; its handle's type only does not say so. */
  private static RuntimeException unexpected(Throwable e) {
    if (e instanceof Error error) {
      throw error;
    }
    return e instanceof RuntimeException r ? r : new IllegalStateException(e);
  }
}
