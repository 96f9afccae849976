package dev.vauban.natives.cuda;

/**
 * A call into a CUDA library that failed.
 *
 * <p>The message names the function, CUDA's own name, number and text of the error, and what the
 * call was for. To cause one: allocate more memory than the card has; to fix that one: fewer tasks
 * per step.
 */
public final class CudaException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** The C function that failed. */
  private final String function;

  /** The library's number of the error. */
  private final int code;

  /** The library's name of the error. */
  private final String error;

  /** Whether memory ran out. */
  private final boolean outOfMemory;

  CudaException(String function, int code, String error, boolean outOfMemory, String message) {
    super(message);
    this.function = function;
    this.code = code;
    this.error = error;
    this.outOfMemory = outOfMemory;
  }

  /** The C function that failed: {@code cuMemAlloc_v2}. */
  public String function() {
    return function;
  }

  /** The library's number of the error: 2. */
  public int code() {
    return code;
  }

  /** The library's name of the error: {@code CUDA_ERROR_OUT_OF_MEMORY}. */
  public String error() {
    return error;
  }

  /**
   * Whether the card's memory was not enough; the message then says how much was asked and free.
   */
  public boolean outOfMemory() {
    return outOfMemory;
  }
}
