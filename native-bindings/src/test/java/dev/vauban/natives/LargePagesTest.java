package dev.vauban.natives;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LargePagesTest {
  @ParameterizedTest
  @ValueSource(longs = {1, 100, 4 << 20, (4 << 20) + 1, (64 << 20) - 8})
  void memoryIsZeroAlignedAndEndsWithItsArena(long bytes) {
    MemorySegment memory;
    try (Arena arena = Arena.ofShared()) {
      memory = LargePages.allocate(bytes, arena);
      assertThat(memory.byteSize()).isEqualTo(bytes);
      assertThat(memory.address() % 64).isZero();
      assertThat(memory.mismatch(MemorySegment.ofArray(new byte[(int) bytes]))).isEqualTo(-1);
      memory.set(ValueLayout.JAVA_BYTE, bytes - 1, (byte) 7);
      assertThat(memory.get(ValueLayout.JAVA_BYTE, bytes - 1)).isEqualTo((byte) 7);
    }
    assertThatThrownBy(() -> memory.get(ValueLayout.JAVA_BYTE, 0))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void theSystemIsAskedForLargePagesAndGetsThemBack() throws IOException {
    Path maps = Path.of("/proc/self/smaps");
    assumeThat(maps).as("Linux tells what each mapping is").exists();
    String range;
    try (Arena arena = Arena.ofShared()) {
      long address = LargePages.allocate(32 << 20, arena).address();
      range = Long.toHexString(address);
      List<String> lines = Files.readAllLines(maps);
      assertThat(lines.stream().filter(l -> l.startsWith("VmFlags:") && l.contains(" hg")))
          .as("mappings with the advice")
          .isNotEmpty();
      assertThat(lines.stream().filter(l -> l.startsWith(range))).hasSize(1);
    }
    assertThat(Files.readAllLines(maps).stream().filter(l -> l.startsWith(range + "-"))).isEmpty();
  }
}
