package dev.vauban.tensor.backend.fusion;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Places arrays in one slab so that no two that are alive at the same time overlap: largest first,
 * each at the lowest offset that is free during its whole life.
 */
public final class MemoryPlanner {
  private static final long ALIGNMENT = 64;

  /**
   * An array to place.
   *
   * @param bytes its size
   * @param first the step that writes it
   * @param last the last step that reads it, at least {@code first}
   */
  public record Block(long bytes, int first, int last) {
    boolean meets(Block other) {
      return first <= other.last && other.first <= last;
    }
  }

  private final List<Block> blocks = new ArrayList<>();
  private long[] offsets;
  private long size;

  /** Rounds up to the alignment of every array. */
  public static long align(long bytes) {
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  /** Adds a block; returns its number. */
  public int add(Block block) {
    blocks.add(block);
    return blocks.size() - 1;
  }

  /** Places all blocks. */
  public void plan() {
    offsets = new long[blocks.size()];
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < blocks.size(); i++) {
      order.add(i);
    }
    order.sort(
        Comparator.comparingLong((Integer i) -> -blocks.get(i).bytes()).thenComparing(i -> i));
    List<Integer> placed = new ArrayList<>(); // by offset
    for (int i : order) {
      Block b = blocks.get(i);
      long bytes = align(b.bytes());
      long at = 0;
      for (int j : placed) {
        if (!b.meets(blocks.get(j))) {
          continue;
        }
        if (offsets[j] - at >= bytes) {
          break;
        }
        at = Math.max(at, offsets[j] + align(blocks.get(j).bytes()));
      }
      offsets[i] = at;
      size = Math.max(size, at + bytes);
      int position = 0;
      while (position < placed.size() && offsets[placed.get(position)] <= at) {
        position++;
      }
      placed.add(position, i);
    }
  }

  /** The offset of block {@code i}. */
  public long offset(int i) {
    return offsets[i];
  }

  /** Bytes of the slab. */
  public long size() {
    return size;
  }
}
