package dev.vauban.bench.libtorch;

import dev.vauban.bench.peers.BatchStep;
import dev.vauban.bench.peers.BatchStep.Momentum;
import dev.vauban.bench.peers.BatchStep.Network;
import dev.vauban.bench.peers.MetaStep.Values;
import dev.vauban.bench.peers.PeerStep;
import dev.vauban.bench.peers.Timing;
import dev.vauban.tensor.Precision;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.MemoryFormat;

/** A {@link BatchStep} bound to libtorch's tensors. */
final class LibtorchBatch implements PeerStep {
  private final String name;
  private final BatchStep step;
  private final BatchNet net;
  private final Ascent ascent;
  private final Workers workers;
  private final Precision precision;
  private final int channels;
  private final Tensor[] weights;
  private final Tensor[] still; // velocities of 0
  private final List<Slice> slices = new ArrayList<>();

  /** Images that one call attacks. */
  private record Slice(Tensor images, Tensor start, Tensor labels) {}

  LibtorchBatch(String name, BatchWay way, BatchStep step) {
    this.name = name;
    this.step = step;
    this.net = new BatchNet(step.network(), step.norms());
    this.ascent = new Ascent(step.attack());
    this.workers = new Workers(way.threads(), way.each());
    this.precision = way.precision();
    this.channels = channels(step);
    try (PointerScope scope = new PointerScope()) {
      this.weights =
          step.weights().values().stream()
              .map(v -> weight(v, way.channelsLast()))
              .toArray(Tensor[]::new);
      this.still = Arrays.stream(weights).map(torch::zeros_like).toArray(Tensor[]::new);
      int n = step.labels().length / way.slices();
      for (int from = 0; from < step.labels().length; from += n) {
        slices.add(
            new Slice(
                images(step.images(), from, n, way.channelsLast()),
                images(step.start(), from, n, way.channelsLast()),
                Layouts.labels(Arrays.copyOfRange(step.labels(), from, from + n))));
      }
      owned().forEach(Tensor::retainReference); // they outlive the scope
    }
  }

  /** Channels of the positions that the head reads: with one position the order is the same. */
  private static int channels(BatchStep step) {
    List<Values> all = List.copyOf(step.weights().values());
    return step.network() == Network.CONV4
        ? all.getFirst().shape()[3]
        : all.get(all.size() - 2).shape()[0];
  }

  private Tensor weight(Values v, boolean channelsLast) {
    Tensor t = Layouts.weight(v, channels);
    return channelsLast && t.dim() == 4 ? t.contiguous(MemoryFormat.ChannelsLast) : t;
  }

  private static Tensor images(Values all, int from, int n, boolean channelsLast) {
    int[] shape = all.shape().clone();
    int size = all.data().length / shape[0];
    shape[0] = n;
    Values part = new Values(shape, Arrays.copyOfRange(all.data(), from * size, (from + n) * size));
    return channelsLast ? Layouts.channelsLast(part) : Layouts.channelsFirst(part);
  }

  private List<Tensor> owned() {
    List<Tensor> all = new ArrayList<>(List.of(weights));
    all.addAll(List.of(still));
    slices.forEach(s -> all.addAll(List.of(s.images(), s.start(), s.labels())));
    return all;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Map<String, float[]> result() {
    Map<String, float[]> result = new LinkedHashMap<>();
    if (step.update() == null) {
      result.put("perturbation", perturbation());
      return result;
    }
    Workers.result(
        workers.submit(() -> {
          try (PointerScope scope = new PointerScope();
              Autocast autocast = new Autocast(precision)) {
            TensorVector gradient = gradient(slices.getFirst());
            int i = 0;
            for (String path : step.weights().keySet()) {
              result.put(path, Layouts.ours(gradient.get(i++), channels));
            }
          }
          return null;
        }));
    return result;
  }

  private float[] perturbation() {
    float[] all = new float[step.images().data().length];
    int n = all.length / slices.size();
    for (int i = 0; i < slices.size(); i++) {
      Slice s = slices.get(i);
      int at = i * n;
      Workers.result(
          workers.submit(() -> {
            try (PointerScope scope = new PointerScope();
                Autocast autocast = new Autocast(precision)) {
              float[] moved = Layouts.images(attacked(s));
              System.arraycopy(moved, 0, all, at, n);
            }
            return null;
          }));
    }
    for (int i = 0; i < all.length; i++) {
      all[i] -= step.images().data()[i];
    }
    return all;
  }

  private Tensor attacked(Slice s) {
    return ascent.attacked(x -> net.loss(weights, x, s.labels()), s.start(), s.images());
  }

  private TensorVector gradient(Slice s) {
    Tensor adversarial = attacked(s);
    Tensor[] leaves = Arrays.stream(weights).map(Autograd::leaf).toArray(Tensor[]::new);
    return Autograd.grad(net.loss(leaves, adversarial, s.labels()), leaves);
  }

  @Override
  public Timing run() {
    return Timing.of(() -> {
      List<Future<Void>> parts = new ArrayList<>();
      for (Slice s : slices) {
        parts.add(
            workers.submit(() -> {
              try (PointerScope scope = new PointerScope();
                  Autocast autocast = new Autocast(precision)) {
                if (step.update() == null) {
                  attacked(s);
                } else {
                  update(gradient(s), step.update());
                }
              }
              return null;
            }));
      }
      parts.forEach(Workers::result);
    });
  }

  /** One step from a velocity of 0; its result is not kept, as every run starts from the same. */
  private void update(TensorVector gradient, Momentum momentum) {
    try (NoGradGuard guard = new NoGradGuard()) {
      for (int i = 0; i < weights.length; i++) {
        Tensor velocity = still[i].mul(new Scalar(momentum.momentum()));
        velocity.add_(gradient.get(i));
        weights[i].add(velocity, new Scalar(-momentum.rate())).close();
        velocity.close();
      }
    }
  }

  @Override
  public void close() {
    workers.close();
    owned().forEach(Tensor::close);
  }
}
