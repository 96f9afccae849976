package dev.vauban.bench.libtorch;

import dev.vauban.bench.peers.PeerStep;
import dev.vauban.bench.peers.Timing;
import java.util.Map;
import java.util.function.Supplier;

/** A step whose tensors are made when it is first used: a way that nobody tries takes no memory. */
final class OnDemand implements PeerStep {
  private final String name;
  private final Supplier<PeerStep> make;
  private PeerStep made;

  OnDemand(String name, Supplier<PeerStep> make) {
    this.name = name;
    this.make = make;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public Map<String, float[]> result() {
    return made().result();
  }

  @Override
  public Timing run() {
    return made().run();
  }

  private PeerStep made() {
    if (made == null) {
      made = make.get();
    }
    return made;
  }

  @Override
  public void close() {
    if (made != null) {
      made.close();
    }
  }
}
