package dev.vauban.tensor.backend.cpu;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.backend.fusion.Region;
import dev.vauban.tensor.backend.fusion.RegionBuilder;
import java.util.ArrayList;
import java.util.List;

/** A fused nest. */
record RegionStep(
    Region region,
    RegionKernel kernel,
    List<Object> reads,
    List<Long> offsets,
    List<Object> writes,
    String label)
    implements Step {

  static RegionStep of(RegionBuilder.Built built, List<Expr> nodes) {
    return new RegionStep(
        built.region(),
        RegionCompiler.compile(built.region()),
        new ArrayList<>(built.reads()),
        built.offsets(),
        new ArrayList<>(built.writes()),
        built.label(nodes));
  }

  @Override
  public Call instantiate(Frame frame, int[] slots, long scratch) {
    long[] args = new long[slots.length];
    long[] first = new long[slots.length]; // outputs begin at their memory's beginning
    for (int i = 0; i < offsets.size(); i++) {
      first[i] = offsets.get(i);
    }
    RegionKernel k = kernel;
    return addresses -> {
      for (int i = 0; i < args.length; i++) {
        args[i] = addresses[slots[i]] + first[i];
      }
      k.run(args);
    };
  }

  @Override
  public long flops() {
    return region.flops();
  }
}
