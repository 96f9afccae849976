package dev.vauban.natives.cuda;

import dev.vauban.natives.cuda.generated.CudaDriverCalls;
import dev.vauban.natives.load.Symbols;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Compiled code on the card. */
public final class CudaModule implements AutoCloseable {
  private final CudaContext context;
  private final MemorySegment handle;

  CudaModule(CudaContext context, MemorySegment handle) {
    this.context = context;
    this.handle = handle;
    Symbols symbols = context.driver().symbols();
    context.keep(
        this,
        () ->
            context.check(
                CudaDriverCalls.cuModuleUnload(symbols, handle), "cuModuleUnload", "a module"));
  }

  /**
   * A kernel of the module.
   *
   * @param name as declared; in C++ source the kernel must be {@code extern "C"}
   * @throws CudaException if there is none of that name
   */
  public CudaFunction function(String name) {
    Symbols symbols = context.use();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment out = arena.allocate(ValueLayout.ADDRESS);
      context.check(
          CudaDriverCalls.cuModuleGetFunction(symbols, out, handle, CText.of(name, arena)),
          "cuModuleGetFunction",
          "the kernel " + name);
      CudaFunction function = new CudaFunction(context, name, out.get(ValueLayout.ADDRESS, 0));
      // The driver loads code when it is first asked about, and may have to wait for the card then:
      // now, and not in the middle of a capture.
      function.registers();
      return function;
    }
  }

  @Override
  public void close() {
    context.release(this);
  }
}
