package dev.vauban.tensor.backend.fusion;

import static org.assertj.core.api.Assertions.assertThat;

import dev.vauban.tensor.backend.fusion.MemoryPlanner.Block;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class MemoryPlannerTest {
  @Test
  void nothingAliveAtTheSameTimeOverlaps() {
    for (int seed = 0; seed < 300; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      List<Block> blocks = new ArrayList<>();
      MemoryPlanner planner = new MemoryPlanner();
      int steps = random.nextInt(1, 40);
      for (int i = random.nextInt(1, 80); i > 0; i--) {
        int first = random.nextInt(steps);
        int last = random.nextInt(first, steps);
        long bytes = random.nextInt(5) == 0 ? random.nextInt(3) : random.nextInt(1, 5000);
        blocks.add(new Block(bytes, first, last));
        planner.add(blocks.getLast());
      }
      planner.plan();
      check(seed, blocks, planner);
    }
  }

  private static void check(int seed, List<Block> blocks, MemoryPlanner planner) {
    long most = 0;
    for (int i = 0; i < blocks.size(); i++) {
      Block a = blocks.get(i);
      assertThat(planner.offset(i) % 64).isZero();
      assertThat(planner.offset(i) + a.bytes()).isLessThanOrEqualTo(planner.size());
      for (int j = 0; j < i; j++) {
        Block b = blocks.get(j);
        boolean apart =
            planner.offset(i) + a.bytes() <= planner.offset(j)
                || planner.offset(j) + b.bytes() <= planner.offset(i);
        assertThat(apart || a.last() < b.first() || b.last() < a.first())
            .as("seed %d: %s and %s", seed, a, b)
            .isTrue();
      }
      long alive = 0;
      for (Block b : blocks) {
        alive +=
            b.first() <= a.first() && a.first() <= b.last() ? MemoryPlanner.align(b.bytes()) : 0;
      }
      most = Math.max(most, alive);
    }
    assertThat(planner.size()).as("seed %d", seed).isBetween(most, 2 * most);
  }

  @Test
  void blocksThatFollowEachOtherShareMemory() {
    MemoryPlanner planner = new MemoryPlanner();
    planner.add(new Block(1000, 0, 1));
    planner.add(new Block(1000, 1, 2));
    planner.add(new Block(1000, 2, 3));
    planner.plan();
    assertThat(planner.size()).isEqualTo(2048);
    assertThat(planner.offset(0)).isEqualTo(planner.offset(2));
  }

  @Test
  void nothingToPlaceNeedsNothing() {
    MemoryPlanner planner = new MemoryPlanner();
    planner.plan();
    assertThat(planner.size()).isZero();
  }
}
