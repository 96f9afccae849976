package dev.vauban.bench.gpu;

import dev.vauban.natives.NativeException;
import dev.vauban.natives.cuda.CublasLt;
import dev.vauban.natives.cuda.CudaContext;
import dev.vauban.natives.cuda.CudaDriver;
import dev.vauban.natives.cuda.CudaEvent;
import dev.vauban.natives.cuda.CudaStream;
import dev.vauban.natives.cuda.GemmSpec;
import dev.vauban.natives.cuda.Gemms;
import java.util.EnumMap;
import java.util.Map;

/**
 * What the card does at best, measured: a copy within its memory, and large square matrix products
 * by cuBLASLt.
 *
 * @param bytesPerSecond read and written by a copy of 1 GiB
 * @param flops per second of a product of 8192 x 8192, by type; empty without cuBLASLt
 */
record Ceilings(double bytesPerSecond, Map<GemmSpec.Type, Double> flops) {
  private static final long LARGEST_COPY = 1L << 30;
  private static final int SIDE = 8192;
  private static final int REPEATS = 10;

  /** Measures. */
  static Ceilings of(int ordinal) {
    try (CudaContext card = CudaDriver.load().open(ordinal);
        CudaStream stream = card.stream()) {
      // On the card that is the processor, as much as a test can wait for.
      boolean real = card.card().memory() > 8 * LARGEST_COPY;
      return new Ceilings(
          copied(card, stream, real ? LARGEST_COPY : 1L << 20),
          products(card, stream, real ? SIDE : 64));
    }
  }

  private static double copied(CudaContext card, CudaStream stream, long bytes) {
    long from = card.allocate(bytes, "measuring a copy");
    long to = card.allocate(bytes, "measuring a copy");
    double seconds = best(card, stream, () -> stream.copyOnDevice(to, from, bytes));
    card.free(from);
    card.free(to);
    return 2.0 * bytes / seconds;
  }

  private static Map<GemmSpec.Type, Double> products(
      CudaContext card, CudaStream stream, int side) {
    Map<GemmSpec.Type, Double> flops = new EnumMap<>(GemmSpec.Type.class);
    CublasLt library;
    try {
      library = CublasLt.load();
    } catch (NativeException e) {
      return flops;
    }
    long bytes = 4L * side * side;
    long operands = card.allocate(3 * bytes, "measuring matrix products");
    stream.set(operands, 0x3F80_3F80, 3 * bytes / 4);
    try (Gemms gemms = library.open(card, null)) {
      for (GemmSpec.Type type : GemmSpec.Type.values()) {
        Gemms.Gemm gemm = gemms.prepare(GemmSpec.of(type, 1, side, side, side), stream);
        double seconds =
            best(
                card,
                stream,
                () -> gemm.run(stream, operands, operands + bytes, operands + 2 * bytes));
        flops.put(type, 2.0 * side * side * side / seconds);
      }
    }
    card.free(operands);
    return flops;
  }

  private static double best(CudaContext card, CudaStream stream, Runnable work) {
    double least = Double.POSITIVE_INFINITY;
    try (CudaEvent begin = card.event();
        CudaEvent end = card.event()) {
      for (int i = 0; i < REPEATS; i++) {
        stream.record(begin);
        work.run();
        stream.record(end);
        least = Math.min(least, end.millisecondsSince(begin) / 1e3);
      }
    }
    return least;
  }
}
