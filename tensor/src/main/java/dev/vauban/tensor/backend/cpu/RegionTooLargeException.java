package dev.vauban.tensor.backend.cpu;

/** A region whose code would exceed what HotSpot compiles; the caller splits it and tries again. */
final class RegionTooLargeException extends RuntimeException {
  RegionTooLargeException(String message) {
    super(message);
  }
}
