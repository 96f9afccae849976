package dev.vauban.bench.libtorch;

import dev.vauban.bench.peers.MetaStep.Values;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.MemoryFormat;

/** Our arrays as libtorch wants them, and back. */
final class Layouts {
  private Layouts() {}

  /** A copy of {@code v} in the same order. */
  private static Tensor plain(Values v) {
    long[] shape = new long[v.shape().length];
    for (int i = 0; i < shape.length; i++) {
      shape[i] = v.shape()[i];
    }
    return torch.tensor(v.data()).view(shape);
  }

  static Tensor labels(int[] labels) {
    long[] wide = new long[labels.length];
    for (int i = 0; i < wide.length; i++) {
      wide[i] = labels[i];
    }
    return torch.tensor(wide);
  }

  /** Images [N,H,W,C] as a tensor of shape [N,C,H,W], dense in that order. */
  static Tensor channelsFirst(Values images) {
    return plain(images).permute(0, 3, 1, 2).contiguous();
  }

  /**
   * Images [N,H,W,C] as a tensor of shape [N,C,H,W] that lies in memory as they do. With one
   * channel both orders are the same memory, and only the strides tell libtorch which is meant:
   * they are given, not left to it.
   */
  static Tensor channelsLast(Values images) {
    int h = images.shape()[1];
    int w = images.shape()[2];
    int c = images.shape()[3];
    Tensor data = torch.tensor(images.data());
    long[] shape = {images.shape()[0], c, h, w};
    return data.as_strided(shape, (long) h * w * c, 1, (long) w * c, c);
  }

  /** A weight: kernels [out,in,height,width], the head [ways,features] in channel-first order. */
  static Tensor weight(Values v, int channels) {
    Tensor t = plain(v);
    return switch (v.shape().length) {
      case 4 -> t.permute(3, 2, 0, 1).contiguous();
      case 2 -> {
        int features = v.shape()[0];
        int ways = v.shape()[1];
        Tensor split = t.view(features / channels, channels, ways);
        yield split.permute(2, 1, 0).reshape(ways, features);
      }
      default -> t;
    };
  }

  /** What {@link #weight} made, or its gradient, back in our layout. */
  static float[] ours(Tensor weight, int channels) {
    Tensor t =
        switch ((int) weight.dim()) {
          case 4 -> weight.permute(2, 3, 1, 0);
          case 2 -> {
            long ways = weight.size(0);
            long positions = weight.size(1) / channels;
            yield weight.reshape(ways, channels, positions).permute(2, 1, 0);
          }
          default -> weight;
        };
    return floats(t);
  }

  /** Images [N,C,H,W] in whatever memory order as [N,H,W,C]. */
  static float[] images(Tensor images) {
    return floats(images.permute(0, 2, 3, 1));
  }

  private static float[] floats(Tensor t) {
    Tensor dense = t.contiguous(MemoryFormat.Contiguous);
    float[] out = new float[Math.toIntExact(dense.numel())];
    FloatPointer data = dense.data_ptr_float();
    data.get(out);
    return out;
  }
}
