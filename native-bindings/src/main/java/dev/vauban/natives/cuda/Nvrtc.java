package dev.vauban.natives.cuda;

import java.nio.file.Path;
import java.util.List;

/** NVIDIA's run-time compiler of CUDA C++. Needs no card. */
public final class Nvrtc {
  private Nvrtc() {}

  /**
   * The compiler of this machine, loaded once.
   *
   * @throws dev.vauban.natives.NativeException if there is none, or it is too old
   */
  public static Nvrtc load() {
    throw new UnsupportedOperationException();
  }

  /**
   * The compiler in this file; tests give their own.
   *
   * @throws dev.vauban.natives.NativeException if it is not NVRTC, or too old
   */
  public static Nvrtc load(Path library) {
    throw new UnsupportedOperationException();
  }

  /** The file it was loaded from. */
  public String path() {
    throw new UnsupportedOperationException();
  }

  /** {@code 13.0}. */
  public String version() {
    throw new UnsupportedOperationException();
  }

  /** The compute capabilities it compiles for, such as 90, ascending. */
  public List<Integer> architectures() {
    throw new UnsupportedOperationException();
  }

  /**
   * Compiles a program.
   *
   * @param source CUDA C++
   * @param name what the compiler calls it in messages
   * @param architecture {@code sm_90}
   * @param options further ones, such as {@code --use_fast_math}
   * @return code for the card ({@link CudaContext#module} loads it)
   * @throws CudaException if it does not compile; the message ends with the compiler's log
   */
  public byte[] compile(String source, String name, String architecture, List<String> options) {
    throw new UnsupportedOperationException();
  }
}
