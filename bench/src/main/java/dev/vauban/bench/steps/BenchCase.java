package dev.vauban.bench.steps;

import dev.vauban.tensor.Precision;
import java.util.List;
import java.util.stream.Stream;

/** A program to time. */
public sealed interface BenchCase permits StepCase, BatchCase {
  /** For {@code --only}. */
  String name();

  /** For tables. */
  String title();

  /** Of its large products. */
  Precision precision();

  /** The same program in another precision. */
  BenchCase in(Precision other);

  /**
   * The same program with so few activations that hardly one of them lies where rounding decides
   * which branch it takes.
   */
  BenchCase small();

  /**
   * A program of the same kernels on the same data that takes at most a second or two: enough to
   * tell which way of another framework is the fastest. May be this case itself.
   */
  BenchCase trial();

  /** Compiles for a number of threads and binds to data. */
  BoundCase bind(int threads);

  /** All cases; the first is the one to quote. */
  static List<BenchCase> all() {
    return Stream.<BenchCase>concat(StepCase.all().stream(), BatchCase.all().stream()).toList();
  }
}
