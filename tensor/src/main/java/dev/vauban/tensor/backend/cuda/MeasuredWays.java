package dev.vauban.tensor.backend.cuda;

import dev.vauban.natives.cuda.CardChoices;
import dev.vauban.natives.cuda.CudaEvent;
import dev.vauban.natives.cuda.CudaException;
import dev.vauban.natives.cuda.CudaGraph;
import dev.vauban.natives.cuda.CudaStream;
import dev.vauban.natives.cuda.GemmSpec;
import dev.vauban.natives.cuda.Gemms;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Graph;
import dev.vauban.tensor.backend.cuda.Ways.Alternatives;
import dev.vauban.tensor.backend.cuda.Ways.Way;
import dev.vauban.tensor.backend.fusion.MemoryPlanner;
import dev.vauban.tensor.backend.fusion.Placement;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The way of each convolution that is quicker on a card: measured when a program first has it, on
 * memory of its own, and remembered on disk. What could not be measured (too little memory, a
 * product that the library refuses) is computed the implicit way and asked again next time.
 */
final class MeasuredWays {
  private static final System.Logger LOG = System.getLogger(MeasuredWays.class.getName());
  private static final int REPEATS = 5;

  /** Patches take memory, so they must be quicker by more than what measurements differ by. */
  private static final double CLEARLY = 0.95;

  /** 1.0 twice as bf16, 1.0019 as f32: numbers that no arithmetic unit finds easier than others. */
  private static final int FILLING = 0x3F80_3F80;

  private final OpenCard card;
  private final CardChoices disk;
  private final Map<String, Way> known = new HashMap<>();

  MeasuredWays(OpenCard card, CardChoices disk) {
    this.card = card;
    this.disk = disk;
  }

  /** A lowered program whose convolutions go the quicker way. */
  Code lower(Graph g, Choices choices) {
    Map<String, Alternatives> unknown = new LinkedHashMap<>();
    Code code =
        Lowering.program(
            g,
            choices.with(a -> {
              Optional<Way> way = find(a.key());
              if (way.isEmpty()) {
                unknown.put(a.key(), a);
              }
              return way.orElse(Way.IMPLICIT);
            }));
    if (unknown.isEmpty()) {
      return code;
    }
    Map<String, Kernel> kernels = new LinkedHashMap<>();
    unknown.values().forEach(a -> kernels.putAll(a.kernels()));
    card.kernels().load(kernels.values());
    unknown.forEach(this::measure);
    return Lowering.program(g, choices.with(a -> known.getOrDefault(a.key(), Way.IMPLICIT)));
  }

  private Optional<Way> find(String key) {
    if (!known.containsKey(key)) {
      Optional<byte[]> kept = disk.find(key, 1);
      if (kept.isPresent() && kept.get()[0] >= 0 && kept.get()[0] < Way.values().length) {
        known.put(key, Way.values()[kept.get()[0]]);
      }
    }
    return Optional.ofNullable(known.get(key));
  }

  private void measure(String key, Alternatives a) {
    try {
      Map<GemmSpec, Gemms.Gemm> products = new HashMap<>();
      for (Step s : a.patches()) {
        if (s instanceof Step.Library l) {
          Gemms library = card.products().orElseThrow();
          products.computeIfAbsent(l.product(), spec -> library.prepare(spec, card.stream()));
        }
      }
      double[] best = time(a, products);
      boolean patches = best[Way.PATCHES.ordinal()] < CLEARLY * best[Way.IMPLICIT.ordinal()];
      Way way = patches ? Way.PATCHES : Way.IMPLICIT;
      LOG.log(
          System.Logger.Level.DEBUG,
          "{0}: {1} ms implicit, {2} ms by patches",
          a.implicit().getFirst().label(),
          best[Way.IMPLICIT.ordinal()],
          best[Way.PATCHES.ordinal()]);
      known.put(key, way);
      disk.keep(key, new byte[] {(byte) way.ordinal()});
    } catch (CudaException e) { // a card that fails altogether says so at the next call
      LOG.log(
          System.Logger.Level.INFO,
          "{0} is not measured: {1}",
          a.implicit().getFirst().label(),
          e.getMessage());
    }
  }

  /** Milliseconds of each way, the best of some runs; in turns, since the card's clock changes. */
  private double[] time(Alternatives a, Map<GemmSpec, Gemms.Gemm> products) {
    Map<Object, Long> at = new LinkedHashMap<>(); // what is read and written
    long bytes = 0;
    Set<Object> arrays = new LinkedHashSet<>(a.reads());
    arrays.add(a.write());
    for (Object array : arrays) {
      at.put(array, bytes);
      bytes += MemoryPlanner.align(bytes(array));
    }
    List<Placement> placed = new ArrayList<>();
    long slab = 0;
    for (Way way : Way.values()) {
      Placement p = placement(a, way);
      placed.add(p);
      slab = Math.max(slab, p.slabBytes());
    }
    long memory = card.context().allocate(bytes + slab, "measuring a convolution");
    at.replaceAll((array, offset) -> memory + offset);
    List<CudaGraph> graphs = new ArrayList<>();
    CudaStream stream = card.stream();
    try (Arena arena = Arena.ofConfined();
        CudaEvent begin = card.context().event();
        CudaEvent end = card.context().event()) {
      stream.set(memory, FILLING, (bytes + slab) / Integer.BYTES);
      for (Way way : Way.values()) {
        Placement p = placed.get(way.ordinal());
        Code code = code(a.steps(way), p);
        long[] addresses = new long[p.offsets().length];
        at.forEach((array, address) -> addresses[p.slots().get(array)] = address);
        long free = memory + bytes;
        Recorder recorder = new Recorder(stream, card.kernels(), products, Map.of(), 0, arena);
        graphs.add(stream.capture(() -> recorder.record(code, addresses, free)));
      }
      double[] best = new double[graphs.size()];
      Arrays.fill(best, Double.POSITIVE_INFINITY);
      for (int round = 0; round <= REPEATS; round++) {
        for (int i = 0; i < best.length; i++) {
          stream.record(begin);
          graphs.get(i).launch(stream);
          stream.record(end);
          double time = end.millisecondsSince(begin);
          if (round > 0) { // the first time, code is loaded
            best[i] = Math.min(best[i], time);
          }
        }
      }
      return best;
    } finally {
      graphs.forEach(CudaGraph::close);
      card.context().free(memory);
    }
  }

  private static Placement placement(Alternatives a, Way way) {
    return Placement.of(
        a.steps(way).stream()
            .map(s -> new Placement.Use(s.reads(), s.writes(), s.scratchBytes()))
            .toList(),
        a.reads(),
        List.of(a.write()),
        MeasuredWays::bytes);
  }

  private static long bytes(Object array) {
    return switch (array) {
      case Expr e -> e.type().bytes();
      case Im2col.Stored s -> s.type().bytes();
      default -> throw new IllegalStateException("no array of a convolution: " + array);
    };
  }

  /** What is read has an address already, constants too. */
  private static Code code(List<Step> steps, Placement p) {
    return new Code(
        steps,
        p.steps(),
        p.scratch(),
        p.offsets(),
        Map.of(),
        new int[0],
        new int[0],
        p.slabBytes());
  }
}
