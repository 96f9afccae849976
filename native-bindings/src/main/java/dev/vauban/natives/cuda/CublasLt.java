package dev.vauban.natives.cuda;

import java.nio.file.Path;

/** NVIDIA's matrix products. */
public final class CublasLt {
  private CublasLt() {}

  /**
   * The library of this machine, loaded once.
   *
   * @throws dev.vauban.natives.NativeException if there is none, or it is too old
   */
  public static CublasLt load() {
    throw new UnsupportedOperationException();
  }

  /**
   * The library in this file; tests give their own.
   *
   * @throws dev.vauban.natives.NativeException if it is not cuBLASLt, or too old
   */
  public static CublasLt load(Path library) {
    throw new UnsupportedOperationException();
  }

  /** The file it was loaded from. */
  public String path() {
    throw new UnsupportedOperationException();
  }

  /** {@code 13.1.1}. */
  public String version() {
    throw new UnsupportedOperationException();
  }

  /**
   * Products on a card.
   *
   * @param choices a folder where the fastest algorithms are remembered, or null: for this object's
   *     life only
   */
  public Gemms open(CudaContext context, Path choices) {
    throw new UnsupportedOperationException();
  }
}
