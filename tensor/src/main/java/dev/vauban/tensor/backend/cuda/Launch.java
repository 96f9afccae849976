package dev.vauban.tensor.backend.cuda;

import dev.vauban.natives.cuda.LaunchShape;
import java.util.List;

/**
 * A kernel with its grid and arguments.
 *
 * @param kernel which
 * @param shape blocks and threads
 * @param arguments in the order of the kernel's parameters
 */
record Launch(Kernel kernel, LaunchShape shape, List<Argument> arguments) {
  /** Where an argument points. */
  sealed interface Argument permits Read, Write, Scratch, Fault, Number {}

  /** Into what the step reads, so many bytes from its beginning. */
  record Read(int index, long offset) implements Argument {}

  /** To the beginning of what the step writes. */
  record Write(int index) implements Argument {}

  /** Into the step's scratch memory. */
  record Scratch(long offset) implements Argument {}

  /** A number, an {@code int}. */
  record Number(int value) implements Argument {}

  /** To the plan's {@link Faults}. */
  record Fault() implements Argument {}

  /** One thread per item, in lines. */
  static LaunchShape line(long items, int threads) {
    return LaunchShape.of(Math.toIntExact(Math.max(1, Math.ceilDiv(items, threads))), threads);
  }
}
