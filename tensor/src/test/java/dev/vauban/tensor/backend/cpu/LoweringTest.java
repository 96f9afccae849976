package dev.vauban.tensor.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.LeafOp;
import dev.vauban.tensor.MetaStep;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.RandomPrograms;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What holds for the steps of every lowered program, bodies included. */
class LoweringTest {
  private static final int PROGRAMS = Integer.getInteger("vauban.programs", 200);

  private interface Check {
    void code(String what, Code code);
  }

  private static void everywhere(Check check) {
    try (CpuDevice device = CpuDevice.open(2)) {
      for (long seed = 0; seed < PROGRAMS; seed++) {
        compile(device, RandomPrograms.of(seed), "seed " + seed, check);
      }
      compile(device, MetaStep.program(), "meta-step", check);
    }
  }

  private static void compile(CpuDevice device, Program p, String what, Check check) {
    try (CpuPlan plan = (CpuPlan) device.compile(p)) {
      walk(what, plan.frame().code, check);
    }
  }

  private static void walk(String what, Code code, Check check) {
    check.code(what, code);
    for (Step step : code.steps()) {
      if (step instanceof MapStep map) {
        walk(what + ", map", map.body(), check);
      } else if (step instanceof LoopStep loop) {
        walk(what + ", loop", loop.body(), check);
      }
    }
  }

  private static boolean isGiven(Object key) {
    return key instanceof Expr e
        && (e.op() instanceof LeafOp.Parameter || e.op() instanceof LeafOp.Data);
  }

  /** No step reads what a later one writes, and nothing is written twice. */
  @Test
  void stepsFollowWhatTheyRead() {
    everywhere((what, code) -> {
      Set<Object> written = new HashSet<>();
      for (Step step : code.steps()) {
        for (Object key : step.reads()) {
          assertThat(isGiven(key) || written.contains(key))
              .as("%s: %s reads %s", what, step.label(), key)
              .isTrue();
        }
        for (Object key : step.writes()) {
          assertThat(written.add(key)).as("%s: %s writes %s", what, step.label(), key).isTrue();
        }
      }
    });
  }

  /** Every array that a nest writes is read by someone or is a result. */
  @Test
  void nestsStoreOnlyWhatIsRead() {
    everywhere((what, code) -> {
      Set<Integer> wanted = new HashSet<>();
      for (int r : code.results()) {
        wanted.add(r);
      }
      for (int i = 0; i < code.steps().size(); i++) {
        for (int k = 0; k < code.steps().get(i).reads().size(); k++) {
          wanted.add(code.slots().get(i)[k]);
        }
      }
      for (int i = 0; i < code.steps().size(); i++) {
        Step step = code.steps().get(i);
        for (int k = 0; step instanceof RegionStep && k < step.writes().size(); k++) {
          assertThat(wanted)
              .as("%s: %s stores %s", what, step.label(), step.writes().get(k))
              .contains(code.slots().get(i)[step.reads().size() + k]);
        }
      }
    });
  }

  private record Place(Object what, long from, long to, int first, int last) {
    boolean collides(Place other) {
      return from < other.to && other.from < to && first <= other.last && other.first <= last;
    }
  }

  /** What is alive in the slab at the same step lies apart. */
  @Test
  void nothingAliveIsOverwritten() {
    everywhere((what, code) -> {
      List<Place> places = places(code);
      for (int i = 0; i < places.size(); i++) {
        for (int j = 0; j < i; j++) {
          assertThat(places.get(i).collides(places.get(j)))
              .as("%s: %s and %s", what, places.get(i), places.get(j))
              .isFalse();
        }
      }
    });
  }

  private static List<Place> places(Code code) {
    Map<Integer, int[]> life = new HashMap<>();
    Map<Integer, Object> keys = new HashMap<>();
    List<Place> places = new ArrayList<>();
    for (int i = 0; i < code.steps().size(); i++) {
      Step step = code.steps().get(i);
      List<Object> all = new ArrayList<>(step.reads());
      all.addAll(step.writes());
      for (int k = 0; k < all.size(); k++) {
        int slot = code.slots().get(i)[k];
        int now = i;
        life.computeIfAbsent(slot, s -> new int[] {now, now})[1] = i;
        keys.put(slot, all.get(k));
      }
      if (step.scratchBytes() > 0) {
        long at = code.scratch()[i];
        places.add(new Place("scratch of " + step.label(), at, at + step.scratchBytes(), i, i));
      }
    }
    life.forEach((slot, steps) -> {
      long at = code.offsets()[slot];
      if (at >= 0 && keys.get(slot) instanceof Expr e) {
        places.add(new Place(e, at, at + e.type().bytes(), steps[0], steps[1]));
      }
    });
    return places;
  }
}
