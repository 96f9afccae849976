package dev.vauban.tensor.backend.cpu;

import dev.vauban.tensor.DType;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.backend.reference.Reference;
import java.util.ArrayList;
import java.util.List;

/**
 * An operation on a type or size without a kernel of its own, run by the reference interpreter in
 * double on arrays made once per frame.
 */
final class InterpretedStep {
  private InterpretedStep() {}

  static Step of(Expr e, List<Object> reads) {
    List<Type> types = e.inputs().stream().map(Expr::type).toList();
    Type type = e.type();
    return new KernelStep(
        "interpreted " + Kernels.label(e),
        reads,
        List.of(e),
        0,
        0,
        (f, s, m) -> {
          List<double[]> in = new ArrayList<>();
          types.forEach(t -> in.add(new double[Math.toIntExact(t.shape().size())]));
          double[] out = new double[Math.toIntExact(type.shape().size())];
          return a -> {
            for (int i = 0; i < in.size(); i++) {
              load(types.get(i).dtype(), a[s[i]], in.get(i));
            }
            Reference.evaluate(e.op(), types, in, type, out);
            store(type.dtype(), a[s[in.size()]], out);
          };
        });
  }

  private static void load(DType type, long address, double[] to) {
    Elements elements = Elements.of(type);
    for (int i = 0; i < to.length; i++) {
      to[i] = elements.get(address + (long) i * type.bytes());
    }
  }

  private static void store(DType type, long address, double[] from) {
    Elements elements = Elements.of(type);
    for (int i = 0; i < from.length; i++) {
      elements.set(address + (long) i * type.bytes(), from[i]);
    }
  }
}
