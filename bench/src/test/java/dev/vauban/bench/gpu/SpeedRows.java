package dev.vauban.bench.gpu;

import dev.vauban.bench.gpu.SpeedRow.Peer;
import dev.vauban.bench.peers.Gradients;
import dev.vauban.bench.peers.PeerException;
import dev.vauban.bench.steps.BatchCase;
import dev.vauban.bench.steps.BenchCase;
import dev.vauban.bench.steps.BoundBatch;
import dev.vauban.bench.steps.BoundCase;
import dev.vauban.bench.steps.BoundStep;
import dev.vauban.bench.steps.StepCase;
import dev.vauban.natives.cuda.GemmSpec;
import dev.vauban.natives.cuda.GraphMeter;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Precision;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Programs timed on a card beside what the machine has: in turns, one run each, medians.
 *
 * <p>A peer is timed only if it computes the same: on the small version of the program its result
 * differs from ours by at most 1e-3 of its length in f32, and in every precision by at most three
 * times what rounding does to ours (pixels moved by 1e-6; in tf32 and bf16 also our own step in
 * f32).
 */
final class SpeedRows {
  private static final Key KEY = Key.of(1);
  private static final double SAME = 1e-3;
  private static final double NUDGE = 1e-6;
  private static final double ROOM = 3;
  private static final int WARM = 3;

  private final GpuCheck.Options options;
  private final Optional<Ceilings> ceilings;
  private final Consumer<String> notice;

  SpeedRows(GpuCheck.Options options, Optional<Ceilings> ceilings, Consumer<String> notice) {
    this.options = options;
    this.ceilings = ceilings;
    this.notice = notice;
  }

  /** A program in a precision. */
  private record Entry(BenchCase program, int tasks, String precision) {
    Precision products() {
      return precision.equals("bf16") ? Precision.BF16 : Precision.F32;
    }

    Entry small() {
      return new Entry(
          program.small(), program instanceof BatchCase b ? b.small().images() : tasks, precision);
    }

    Entry in(String other) {
      return new Entry(program, tasks, other);
    }
  }

  /** All rows, each handed on as soon as it is there. */
  void all(Consumer<SpeedRow> to) {
    for (String precision : options.precisions()) {
      for (String name : List.of("maml-28", "fomaml-28", "anil-28", "maml-84", "rmaml-pgd-84")) {
        for (int tasks : options.tasks()) {
          StepCase step = StepCase.of(name);
          StepCase.Tasks t = step.batch();
          StepCase.Tasks many = new StepCase.Tasks(tasks, t.ways(), t.shots(), t.queries());
          if (options.speed(name)) {
            to.accept(row(sized(new Entry(step.with(many), tasks, precision))));
          }
        }
      }
      for (BatchCase batch : BatchCase.onCards()) {
        if (options.speed(batch.name())) {
          to.accept(row(sized(new Entry(batch, batch.images(), precision))));
        }
      }
    }
  }

  private Entry sized(Entry entry) {
    return options.size().equals("small") ? entry.small() : entry;
  }

  private BoundCase bind(Entry entry) {
    Device device = options.open(entry.precision()).in(entry.products());
    return switch (entry.program()) {
      case StepCase s -> new BoundStep(s.in(entry.products()), device, KEY);
      case BatchCase b -> new BoundBatch(b, device);
    };
  }

  private SpeedRow row(Entry entry) {
    String title = entry.program().name() + ", " + entry.tasks() + ", " + entry.precision();
    notice.accept("timing " + title);
    try (BoundCase bound = bind(entry)) {
      for (int i = 0; i < WARM; i++) {
        bound.run();
      }
      List<Rival> rivals = rivals(entry, bound);
      double[] ours = new double[options.rounds()];
      GraphMeter.Busy busy;
      double total = 0;
      try (GraphMeter meter = GraphMeter.start()) {
        for (int round = 0; round < ours.length; round++) {
          long began = System.nanoTime();
          bound.run();
          ours[round] = (System.nanoTime() - began) / 1e6;
          total += ours[round];
          for (Rival rival : rivals) {
            rival.run(round);
          }
        }
        busy = meter.busy();
      }
      List<Peer> peers = rivals.stream().map(Rival::peer).toList();
      rivals.forEach(Rival::close);
      boolean card = busy.launches() > 0;
      double median = median(ours);
      double gflop = bound.flops() / 1e9;
      double gigabytes = bound.traffic() / 1e9;
      return new SpeedRow(
          entry.program().name(),
          entry.tasks(),
          entry.precision(),
          median,
          card ? busy.milliseconds() / ours.length : Double.NaN,
          (double) busy.launches() / ours.length,
          card ? 1 - busy.milliseconds() / total : Double.NaN,
          gflop,
          ceiling(entry.precision()).map(c -> gflop * 1e12 / median / c).orElse(Double.NaN),
          gigabytes > 0 ? gigabytes : Double.NaN,
          ceilings
              .filter(c -> gigabytes > 0)
              .map(c -> gigabytes * 1e12 / median / c.bytesPerSecond())
              .orElse(Double.NaN),
          bound.compileSeconds(),
          bound.bytes() / 1048576.0,
          peers,
          "");
    } catch (RuntimeException | LinkageError | OutOfMemoryError e) {
      return SpeedRow.failed(entry.program().name(), entry.tasks(), entry.precision(), e);
    }
  }

  private Optional<Double> ceiling(String precision) {
    GemmSpec.Type type =
        switch (precision) {
          case "tf32" -> GemmSpec.Type.TF32;
          case "bf16" -> GemmSpec.Type.BF16;
          default -> GemmSpec.Type.F32;
        };
    return ceilings.map(c -> c.flops().get(type));
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }

  /** A way of a peer: right on the small program, or left out for a reason. */
  private static final class Rival {
    private final GpuPeer session;
    private final int way;
    private final String name;
    private final double error;
    private final double[] times;
    private String failure = "";

    Rival(GpuPeer session, int way, String name, double error, int rounds) {
      this.session = session;
      this.way = way;
      this.name = name;
      this.error = error;
      this.times = new double[rounds];
    }

    static Rival leftOut(String name, double error, String failure) {
      Rival rival = new Rival(null, 0, name, error, 0);
      rival.failure = failure;
      return rival;
    }

    void run(int round) {
      if (failure.isEmpty()) {
        try {
          times[round] = session.run(way) * 1e3;
        } catch (PeerException e) {
          failure = e.getMessage();
        }
      }
    }

    Peer peer() {
      return new Peer(name, failure.isEmpty() ? median(times) : Double.NaN, error, failure);
    }

    void close() {
      if (session != null) {
        session.close();
      }
    }
  }

  /** One process for each way: one that fails or takes too long ends alone. */
  private List<Rival> rivals(Entry entry, BoundCase bound) {
    List<Rival> rivals = new ArrayList<>();
    if (options.python().isEmpty()) {
      return rivals;
    }
    try (BoundCase small = bind(entry.small())) {
      small.run();
      var result = small.result();
      double limit = Math.max(SAME, ROOM * Gradients.error(small.resultNear(NUDGE), result));
      if (!entry.precision().equals("f32")) {
        try (BoundCase exact = bind(entry.small().in("f32"))) {
          exact.run();
          limit = Math.max(limit, ROOM * Gradients.error(result, exact.result()));
        }
      }
      for (String script : options.scripts()) {
        List<String> ways;
        try (GpuPeer session = start(script, small, entry)) {
          ways = session.ways().stream().map(w -> session.name() + ", " + w).toList();
        } catch (PeerException e) {
          rivals.add(Rival.leftOut(script, Double.NaN, e.getMessage()));
          continue;
        }
        for (int way = 0; way < ways.size(); way++) {
          rivals.add(rival(script, way, ways.get(way), limit, result, small, bound, entry));
        }
      }
    }
    return rivals;
  }

  private Rival rival(
      String script,
      int way,
      String name,
      double limit,
      java.util.Map<String, float[]> expected,
      BoundCase small,
      BoundCase bound,
      Entry entry) {
    double error = Double.NaN;
    GpuPeer session = null;
    try {
      try (GpuPeer checked = start(script, small, entry)) {
        error = Gradients.error(checked.result(way), expected);
      }
      if (error > limit) {
        return Rival.leftOut(
            name,
            error,
            "its result differs from ours by %.1e of its length, where at most %.0e can be rounding"
                .formatted(error, limit));
      }
      session = start(script, bound, entry);
      for (int i = 0; i < WARM; i++) {
        session.run(way);
      }
      return new Rival(session, way, name, error, options.rounds());
    } catch (PeerException e) {
      if (session != null) {
        session.close();
      }
      return Rival.leftOut(name, error, e.getMessage());
    }
  }

  private GpuPeer start(String script, BoundCase bound, Entry entry) {
    return new GpuPeer(
        options.python().orElseThrow(),
        Path.of(options.peers().toString(), script),
        bound.numbers(),
        options.peerDevice(),
        entry.precision(),
        options.peerSeconds());
  }
}
