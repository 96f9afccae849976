package dev.vauban.bench.libtorch;

import dev.vauban.bench.peers.MetaStep;
import dev.vauban.bench.peers.PeerStep;
import dev.vauban.bench.peers.Timing;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.function.Function;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;

/** A meta-step bound to libtorch's tensors. */
final class LibtorchStep implements PeerStep {
  private final String name;
  private final Workers workers;
  private final MetaStep step;
  private final int channels;
  private final Episode episode;
  private final Tensor[] theta;
  private final List<Episode.Data> tasks;

  LibtorchStep(String name, Way way, Workers workers, MetaStep step) {
    this.name = name;
    this.workers = workers;
    this.step = step;
    this.channels = step.weights().values().iterator().next().shape()[3];
    this.episode = new Episode(step, way.precision());
    try (PointerScope scope = new PointerScope()) {
      this.theta =
          step.weights().values().stream()
              .map(v -> Layouts.weight(v, channels))
              .toArray(Tensor[]::new);
      for (Tensor t : theta) {
        t.set_requires_grad(true);
      }
      this.tasks = step.tasks().stream().map(t -> data(t, way.layout())).toList();
      owned().forEach(Tensor::retainReference); // they outlive the scope
    }
  }

  private static Episode.Data data(MetaStep.Task t, Way.Layout layout) {
    boolean last = layout != Way.Layout.NCHW;
    Tensor query = images(t.query(), last);
    boolean own = t.start() != null && t.start() != t.query();
    return new Episode.Data(
        images(t.support(), layout == Way.Layout.NHWC),
        Layouts.labels(t.supportLabels()),
        query,
        Layouts.labels(t.queryLabels()),
        own ? images(t.start(), last) : query);
  }

  private static Tensor images(MetaStep.Values v, boolean channelsLast) {
    return channelsLast ? Layouts.channelsLast(v) : Layouts.channelsFirst(v);
  }

  private List<Tensor> owned() {
    List<Tensor> all = new ArrayList<>(List.of(theta));
    for (Episode.Data d : tasks) {
      all.addAll(List.of(d.support(), d.supportLabels(), d.query(), d.queryLabels()));
      if (d.start() != d.query()) {
        all.add(d.start());
      }
    }
    return all;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Map<String, float[]> result() {
    return withMetaGradient(mean -> {
      Map<String, float[]> gradient = new LinkedHashMap<>();
      int i = 0;
      for (String path : step.weights().keySet()) {
        gradient.put(path, Layouts.ours(mean[i++], channels));
      }
      return gradient;
    });
  }

  @Override
  public Timing run() {
    AdamStep adam = new AdamStep(step.adam());
    return Timing.of(() -> withMetaGradient(mean -> adam.updated(theta, mean)));
  }

  /** Computes the mean of the tasks' gradients and hands it to {@code use}. */
  private <T> T withMetaGradient(Function<Tensor[], T> use) {
    List<Future<TensorVector>> each = new ArrayList<>();
    for (Episode.Data task : tasks) {
      each.add(workers.submit(() -> episode.metaGradient(theta, task)));
    }
    List<TensorVector> gradients = each.stream().map(Workers::result).toList();
    return Workers.result(
        workers.submit(() -> {
          try (PointerScope scope = new PointerScope()) {
            return use.apply(AdamStep.mean(gradients));
          } finally {
            gradients.forEach(TensorVector::close);
          }
        }));
  }

  @Override
  public void close() {
    workers.close();
    owned().forEach(Tensor::close);
  }
}
