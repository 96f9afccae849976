package dev.vauban.bench.steps;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vauban.bench.peers.Framework;
import dev.vauban.bench.peers.MetaStep;
import dev.vauban.bench.peers.PeerException;
import dev.vauban.bench.peers.PeerProgram;
import dev.vauban.bench.peers.PeerStep;
import dev.vauban.bench.peers.Timing;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ContestTest {
  private static final StepCase STEP = StepCase.of("anil-28");

  private final List<String> said = new ArrayList<>();
  private final List<String> open = new ArrayList<>();

  @Test
  void theFastestRightWaysRemain() {
    Framework framework =
        new Fake(
            new Way("slow", 3, 1),
            new Way("fast", 1, 1),
            new Way("second", 1.2, 1.0005),
            new Way("wrong", 0.1, 1.002),
            new Way("failing", Double.NaN, 1));
    try (BoundStep bound = new BoundStep(STEP, 1)) {
      bound.run();
      try (Contest contest = new Contest(List.of(framework), bound, 1, said::add)) {
        assertThat(contest.contestants())
            .extracting(c -> c.way().name())
            .containsExactly("fast", "second");
        assertThat(contest.contestants().getFirst().checkError()).isLessThan(1e-6);
        assertThat(contest.contestants().getLast().gradientError()).isBetween(4e-4, 6e-4);
        assertThat(open).containsExactlyInAnyOrder("fast", "second");
      }
      assertThat(open).isEmpty();
    }
    assertThat(said).anyMatch(s -> s.startsWith("left out: wrong: its result differs"));
    assertThat(said).contains("left out: failing: out of order");
  }

  @Test
  void withoutFrameworksNothingIsDone() {
    try (BoundStep bound = new BoundStep(STEP.small(), 1);
        Contest contest = new Contest(List.of(), bound, 1, said::add)) {
      assertThat(contest.contestants()).isEmpty();
    }
  }

  /** A way that takes so long and whose gradient is ours times {@code factor}. */
  private record Way(String name, double seconds, double factor) {}

  /** Knows the right answers from a step of its own. */
  private final class Fake implements Framework {
    private final List<Way> ways;

    Fake(Way... ways) {
      this.ways = List.of(ways);
    }

    @Override
    public void load() {}

    @Override
    public String name() {
      return "fake";
    }

    @Override
    public List<PeerStep> ways(PeerProgram program, int threads) {
      boolean small = ((MetaStep) program).tasks().getFirst().query().shape()[1] < 28;
      try (BoundStep right = new BoundStep(small ? STEP.small() : STEP, threads)) {
        right.run();
        Map<String, float[]> gradient = right.result();
        return ways.stream().map(w -> (PeerStep) new FakeStep(w, gradient)).toList();
      }
    }
  }

  private final class FakeStep implements PeerStep {
    private final Way way;
    private final Map<String, float[]> gradient;

    FakeStep(Way way, Map<String, float[]> gradient) {
      this.way = way;
      this.gradient = gradient;
      open.add(way.name());
    }

    @Override
    public String name() {
      return way.name();
    }

    @Override
    public Map<String, float[]> result() {
      Map<String, float[]> copy = new HashMap<>();
      gradient.forEach((path, g) -> {
        float[] scaled = g.clone();
        for (int i = 0; i < g.length; i++) {
          scaled[i] *= (float) way.factor();
        }
        copy.put(path, scaled);
      });
      return copy;
    }

    @Override
    public Timing run() {
      if (Double.isNaN(way.seconds())) {
        throw new PeerException("out of order", null);
      }
      return new Timing(way.seconds(), way.seconds());
    }

    @Override
    public void close() {
      open.remove(way.name());
    }
  }
}
