package dev.vauban.natives;

import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;

/**
 * Whether this machine has the CUDA driver's library. It is opened, looked at and closed; nothing
 * in it is called.
 *
 * @param available whether {@code libcuda.so.1} was found and looks like the CUDA driver
 * @param reason why not, in a sentence without a full stop; empty if available
 */
public record CudaProbe(boolean available, String reason) {
  private static final String LIBRARY = "libcuda.so.1";

  /** Looks for the driver now. */
  public static CudaProbe run() {
    return probe(LIBRARY);
  }

  /** Looks for the driver under another name. */
  static CudaProbe probe(String library) {
    try (Arena arena = Arena.ofConfined()) {
      SymbolLookup symbols = SymbolLookup.libraryLookup(library, arena);
      if (symbols.find("cuInit").isEmpty()) {
        return new CudaProbe(false, library + " was found, but is not the CUDA driver (no cuInit)");
      }
      return new CudaProbe(true, "");
    } catch (IllegalArgumentException e) {
      return new CudaProbe(
          false,
          "the dynamic linker finds no "
              + library
              + "; it comes with the NVIDIA driver for the GPU");
    } catch (IllegalCallerException e) {
      return new CudaProbe(
          false,
          "this JVM forbids native libraries (--enable-native-access=ALL-UNNAMED allows them)");
    }
  }
}
