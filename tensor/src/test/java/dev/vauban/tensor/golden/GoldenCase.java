package dev.vauban.tensor.golden;

import java.util.Arrays;
import tools.jackson.databind.JsonNode;

/** A case of the reference values, its arrays in this library's layout. */
public final class GoldenCase {
  private static Golden golden;
  private final Golden.Case entry;

  private GoldenCase(Golden.Case entry) {
    this.entry = entry;
  }

  /** The case of this name; the test is skipped where there are no reference values. */
  public static synchronized GoldenCase of(String name) {
    if (golden == null) {
      golden = Golden.open();
    }
    return new GoldenCase(golden.get(name));
  }

  /** A number among the case's attributes; dots descend. */
  public double attr(String name) {
    JsonNode n = entry.attrs();
    for (String part : name.split("\\.")) {
      n = n.get(part);
    }
    return n.asDouble();
  }

  public int[] shape(String name) {
    return entry.array(name).shape().dims();
  }

  /** All elements, row-major, as PyTorch has them. */
  public double[] get(String name) {
    return entry.array(name).values();
  }

  /** [...,C,H,W] as [...,H,W,C]. */
  public double[] images(String name) {
    Golden.Array a = entry.array(name);
    int r = a.shape().rank();
    int[] perm = new int[r];
    Arrays.setAll(perm, i -> i < r - 3 ? i : i == r - 1 ? r - 3 : i + 1);
    return a.transpose(perm).values();
  }

  /**
   * A weight: kernels [O,I,H,W] as [H,W,I,O], a matrix [O,I] as [I,O]; with {@code chw} the inputs
   * of the matrix are a flattened image and reordered from [C,H,W] to [H,W,C].
   */
  public double[] weight(String name, int... chw) {
    Golden.Array a = entry.array(name);
    return switch (a.shape().rank()) {
      case 4 -> a.kernels().values();
      case 2 ->
          chw.length == 3
              ? a.afterFlatten(chw[0], chw[1], chw[2]).values()
              : a.transpose(1, 0).values();
      default -> a.values();
    };
  }
}
