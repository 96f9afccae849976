package dev.vauban.bench.libtorch;

import dev.vauban.bench.peers.BatchStep;
import dev.vauban.bench.peers.BatchStep.Network;
import dev.vauban.bench.peers.BatchStep.Norms;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/**
 * The networks of a {@link BatchStep} as functions of its weights. Each activation is closed as
 * soon as the next is made: what the graph does not keep is free at once, as in Python.
 *
 * @param network its architecture
 * @param norms what follows a convolution's sum
 */
record BatchNet(Network network, Norms norms) {
  private static final int STAGES = 4;
  private static final long[] TWO = {2, 2};
  private static final long[] ONE = {1, 1};
  private static final long[] NOTHING = {0, 0};

  /** Weights in the network's order, taken one after another. */
  private static final class Weights {
    private final Tensor[] all;
    private int next;

    Weights(Tensor[] all) {
      this.all = all;
    }

    Tensor take() {
      return all[next++];
    }

    /** Whether the next weight is a kernel of one pixel. */
    boolean isProjection() {
      Tensor t = all[next];
      return t.dim() == 4 && t.size(2) == 1;
    }
  }

  /** The mean cross-entropy of the images' labels. */
  Tensor loss(Tensor[] weights, Tensor images, Tensor labels) {
    Weights w = new Weights(weights);
    Tensor features =
        switch (network) {
          case CONV4 -> conv4(w, images);
          case RESNET18 -> resnet(w, images);
        };
    Tensor logits = torch.linear(features, w.take(), new TensorOptional(w.take()));
    return torch.cross_entropy_loss(logits, labels);
  }

  private Tensor conv4(Weights w, Tensor images) {
    Tensor x = images;
    for (int i = 0; i < 4; i++) {
      Tensor r = activated(convolution(w, x, 1, 1));
      close(x, images);
      x = torch.max_pool2d(r, TWO, TWO, NOTHING, ONE, false);
      r.close();
    }
    return x.flatten(1, -1);
  }

  private Tensor resnet(Weights w, Tensor images) {
    Tensor x = activated(convolution(w, images, 1, 1));
    for (int stage = 0; stage < STAGES; stage++) {
      x = residual(w, x, stage == 0 ? 1 : 2);
      x = residual(w, x, 1);
    }
    Tensor pooled = torch.adaptive_avg_pool2d(x, ONE).flatten(1, -1);
    x.close();
    return pooled;
  }

  /** A basic block; closes its input. */
  private Tensor residual(Weights w, Tensor x, int stride) {
    Tensor inner = activated(convolution(w, x, stride, 1));
    Tensor main = convolution(w, inner, 1, 1);
    inner.close();
    Tensor shortcut = w.isProjection() ? convolution(w, x, stride, 0) : x;
    main.add_(shortcut);
    shortcut.close();
    close(x, shortcut);
    return activated(main);
  }

  private static void close(Tensor x, Tensor unless) {
    if (x != unless) {
      x.close();
    }
  }

  /** In place, as networks in Python do it; the graph keeps the result only. */
  private static Tensor activated(Tensor x) {
    return torch.relu_(x);
  }

  private Tensor convolution(Weights w, Tensor x, long stride, long padding) {
    long[] strides = {stride, stride};
    long[] paddings = {padding, padding};
    Tensor kernel = w.take();
    return switch (norms) {
      case FOLDED -> {
        TensorOptional bias = new TensorOptional(w.take());
        yield torch.conv2d(x, kernel, bias, strides, paddings, ONE, 1);
      }
      case BATCH -> {
        Tensor c = torch.conv2d(x, kernel, new TensorOptional(), strides, paddings, ONE, 1);
        Tensor n = Net.normalised(c, w.take(), w.take());
        c.close();
        yield n;
      }
    };
  }
}
