package dev.vauban.natives.cuda;

import java.nio.file.Path;
import java.util.List;

/** The CUDA driver of this machine, opened and checked. */
public final class CudaDriver {
  /**
   * A graphics card.
   *
   * @param ordinal its number among the visible ones, from 0
   * @param name NVIDIA's name of it
   * @param major first figure of its compute capability
   * @param minor second figure
   * @param memory its memory in bytes
   * @param multiprocessors how many it has
   */
  public record Card(
      int ordinal, String name, int major, int minor, long memory, int multiprocessors) {
    /** What NVRTC calls its instruction set: {@code sm_90}. */
    public String architecture() {
      return "sm_" + major + minor;
    }
  }

  private CudaDriver() {}

  /**
   * The driver of this machine, loaded once.
   *
   * @throws dev.vauban.natives.NativeException if there is none, or it is too old
   */
  public static CudaDriver load() {
    throw new UnsupportedOperationException();
  }

  /**
   * The driver in this file; tests give their own.
   *
   * @throws dev.vauban.natives.NativeException if it is not a CUDA driver, or too old
   */
  public static CudaDriver load(Path library) {
    throw new UnsupportedOperationException();
  }

  /** The file it was loaded from. */
  public String path() {
    throw new UnsupportedOperationException();
  }

  /** The newest CUDA version it runs, as CUDA writes it: 13000 for 13.0. */
  public int version() {
    throw new UnsupportedOperationException();
  }

  /** The cards it sees, by ordinal; may be empty. */
  public List<Card> cards() {
    throw new UnsupportedOperationException();
  }

  /**
   * Opens a card: everything that is made from the context belongs to it.
   *
   * @throws IllegalArgumentException if there is no such card; the message lists what there is
   * @throws CudaException if the driver refuses
   */
  public CudaContext open(int ordinal) {
    throw new UnsupportedOperationException();
  }
}
