package dev.vauban.bench.libtorch;

import dev.vauban.bench.peers.Allocator;
import dev.vauban.bench.peers.BatchStep;
import dev.vauban.bench.peers.Framework;
import dev.vauban.bench.peers.MetaStep;
import dev.vauban.bench.peers.PeerException;
import dev.vauban.bench.peers.PeerProgram;
import dev.vauban.bench.peers.PeerStep;
import java.io.IOException;
import java.util.List;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.pytorch.global.torch;

/** libtorch, the C++ library under PyTorch, called through JavaCPP. */
public final class Libtorch implements Framework {
  private static final String GROUP = "org.bytedeco";

  /** Unpacks the library once per user, to {@code ~/.javacpp/cache} (380 MB), and opens it. */
  @Override
  public void load() {
    // Memory is freed by scopes alone: the bookkeeping for the garbage collector costs time, and
    // JavaCPP would call the collector whenever the process, Vauban's data included, is large.
    System.setProperty("org.bytedeco.javacpp.nopointergc", "true");
    System.setProperty("org.bytedeco.javacpp.maxPhysicalBytes", "0");
    try {
      Loader.load(torch.class);
    } catch (UnsatisfiedLinkError e) {
      throw new PeerException("libtorch cannot be loaded: " + e.getMessage(), e);
    }
  }

  @Override
  public String name() {
    try {
      // The version of the bindings is libtorch's and then JavaCPP's: 2.10.0-1.5.13.
      return "libtorch " + Loader.getVersion(GROUP, "pytorch").split("-")[0] + " (JVM)";
    } catch (IOException e) {
      return "libtorch (JVM)";
    }
  }

  @Override
  public List<PeerStep> ways(PeerProgram program, int threads) {
    return switch (program) {
      case MetaStep step ->
          Way.worthTrying(threads, step.precision()).stream()
              .map(way -> bound(way, step, threads))
              .toList();
      case BatchStep step ->
          BatchWay.worthTrying(step, threads).stream().map(way -> bound(way, step)).toList();
    };
  }

  private PeerStep bound(BatchWay way, BatchStep step) {
    String name = named(way);
    return new OnDemand(name, () -> new LibtorchBatch(name, way, step));
  }

  private PeerStep bound(Way way, MetaStep step, int threads) {
    String name = named(way);
    return new OnDemand(name, () -> new LibtorchStep(name, way, workers(way, threads), step));
  }

  private String named(Record way) {
    return name() + ", " + way + ", " + Allocator.name();
  }

  private static Workers workers(Way way, int threads) {
    return switch (way.tasks()) {
      case IN_TURN -> new Workers(1, threads);
      case AT_ONCE -> new Workers(threads, 1);
    };
  }
}
