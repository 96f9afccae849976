package dev.vauban.tensor.backend.reference;

import dev.vauban.tensor.Key;
import dev.vauban.tensor.RandomOp;

/** Random numbers from keys. */
final class Draws {
  private Draws() {}

  static void random(RandomOp.Random op, double[] keys, double[] out) {
    int n = (int) op.shape().size();
    for (int k = 0; k < keys.length / 2; k++) {
      for (int i = 0; i < n; i++) {
        long block = Key.block((int) keys[2 * k], (int) keys[2 * k + 1], 0, i);
        int w0 = (int) (block >>> 32);
        int w1 = (int) block;
        out[k * n + i] =
            switch (op.distribution()) {
              case BITS -> w0;
              case UNIFORM -> (w0 >>> 8) * 0x1p-24;
              case NORMAL ->
                  Math.sqrt(-2 * Math.log(((w0 >>> 8) + 1) * 0x1p-24))
                      * Math.cos(2 * Math.PI * ((w1 >>> 8) * 0x1p-24));
            };
      }
    }
  }

  static void fold(double[] keys, double[] data, double[] out) {
    for (int k = 0; k < data.length; k++) {
      Key key = new Key((int) keys[2 * k], (int) keys[2 * k + 1]).fold((int) data[k]);
      out[2 * k] = key.k0();
      out[2 * k + 1] = key.k1();
    }
  }
}
