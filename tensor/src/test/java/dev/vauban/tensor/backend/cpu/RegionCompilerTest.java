package dev.vauban.tensor.backend.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.vauban.tensor.DType;
import dev.vauban.tensor.ScalarFn;
import dev.vauban.tensor.backend.cpu.Region.Apply;
import dev.vauban.tensor.backend.cpu.Region.Instruction;
import dev.vauban.tensor.backend.cpu.Region.Load;
import dev.vauban.tensor.backend.cpu.Region.Operand;
import dev.vauban.tensor.backend.cpu.Region.Store;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class RegionCompilerTest {

  static Stream<VectorWidth> widths() {
    return Stream.of(
        new VectorWidth(4, false),
        new VectorWidth(8, false),
        new VectorWidth(8, true),
        new VectorWidth(16, true),
        VectorWidth.chosen());
  }

  @ParameterizedTest
  @MethodSource("widths")
  void randomRegionsEqualTheInterpreter(VectorWidth width) {
    int regions = Integer.getInteger("vauban.regions", 150);
    long first = Long.getLong("vauban.seed", 1000L * width.lanes());
    for (long seed = first; seed < first + regions; seed++) {
      SplittableRandom random = new SplittableRandom(seed);
      try {
        RegionCheck.check(RandomRegions.next(random), width, random);
      } catch (RuntimeException | Error e) {
        throw new AssertionError("seed " + seed + ", " + width, e);
      }
    }
  }

}
