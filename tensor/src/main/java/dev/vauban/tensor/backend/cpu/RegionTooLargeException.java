package dev.vauban.tensor.backend.cpu;

/** A region whose code would exceed what HotSpot compiles; the caller splits it and tries again. */
final class RegionTooLargeException extends RuntimeException {
  private static final long serialVersionUID = 1;

  RegionTooLargeException(String message) {
    super(message);
  }
}
