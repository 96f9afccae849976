package dev.vauban.tensor.backend.cuda;

import dev.vauban.tensor.backend.cuda.Source.Positions;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** Kernels in which every thread makes one element, {@code p}, of one result. */
final class Elementwise {
  private static final int THREADS = 256;

  private Elementwise() {}

  /**
   * Such a kernel with its launch.
   *
   * @param stem the beginning of the kernel's name
   * @param parameters the C parameters
   * @param arguments what is passed for them
   * @param items threads
   * @param at what counts positions
   * @param body the thread's code after {@code p} is known
   */
  static Nests.Built of(
      String stem,
      String parameters,
      List<Launch.Argument> arguments,
      long items,
      Positions at,
      Consumer<Source> body) {
    return new Nests.Built(List.of(launch(stem, parameters, arguments, items, at, body)), 0);
  }

  /** See {@link #of}. */
  static Launch launch(
      String stem,
      String parameters,
      List<Launch.Argument> arguments,
      long items,
      Positions at,
      Consumer<Source> body) {
    Source s = new Source();
    s.line("const %s p = (%s)blockIdx.x * %du + threadIdx.x;", at.type(), at.type(), THREADS);
    s.line("if (p >= %s) {", at.of(items)).line("return;").end();
    body.accept(s);
    return new Launch(
        Kernel.of(stem, parameters, s), Launch.line(items, THREADS), List.copyOf(arguments));
  }

  /** Reads of all inputs, then the one result. */
  static List<Launch.Argument> arguments(int inputs) {
    List<Launch.Argument> out = new ArrayList<>();
    for (int i = 0; i < inputs; i++) {
      out.add(new Launch.Read(i, 0));
    }
    out.add(new Launch.Write(0));
    return out;
  }

  /** {@code const T* __restrict__ name}. */
  static String in(String type, String name) {
    return "const " + type + "* __restrict__ " + name;
  }

  /** {@code T* __restrict__ name}. */
  static String out(String type, String name) {
    return type + "* __restrict__ " + name;
  }
}
