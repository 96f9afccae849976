package dev.vauban.tensor.golden;

import dev.vauban.tensor.DType;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
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

  private JsonNode node(String name) {
    JsonNode n = entry.attrs();
    for (String part : name.split("\\.")) {
      n = n.get(part);
      if (n == null) {
        throw new IllegalArgumentException(entry + " has no attribute " + name);
      }
    }
    return n;
  }

  /** A number among the case's attributes; dots descend. */
  public double attr(String name) {
    return node(name).asDouble();
  }

  /** A whole number among the case's attributes. */
  public int count(String name) {
    return node(name).asInt();
  }

  /** The first number after {@code words} in an attribute that is a sentence. */
  public double attrIn(String name, String words) {
    String text = node(name).asString();
    Matcher m = Pattern.compile(Pattern.quote(words) + "([0-9.e+-]*[0-9])").matcher(text);
    if (!m.find()) {
      throw new IllegalArgumentException(entry + ": no '" + words + "' in: " + text);
    }
    return Double.parseDouble(m.group(1));
  }

  /** The elements of a list among the attributes; of a single value, that. */
  public List<String> list(String name) {
    List<String> out = new ArrayList<>();
    JsonNode n = node(name);
    if (n.isArray()) {
      n.forEach(e -> out.add(e.asString()));
    } else {
      out.add(n.asString());
    }
    return out;
  }

  /** Names of the arrays that begin with {@code prefix}, without it, in order. */
  public List<String> arrays(String prefix) {
    return entry.names().keySet().stream()
        .filter(n -> n.startsWith(prefix))
        .map(n -> n.substring(prefix.length()))
        .toList();
  }

  /**
   * The weights whose names begin with {@code prefix}: their types as {@link #weight} gives them,
   * by path with slashes for dots.
   */
  public Map<String, Type> weightTypes(String prefix) {
    Map<String, Type> types = new LinkedHashMap<>();
    for (String leaf : arrays(prefix)) {
      Golden.Array a = entry.array(prefix + leaf);
      Shape s =
          switch (a.shape().rank()) {
            case 4 -> a.kernels().shape();
            case 2 -> a.transpose(1, 0).shape();
            default -> a.shape();
          };
      types.put(leaf.replace('.', '/'), new Type(DType.F32, s));
    }
    return types;
  }

  /** The dimensions of an array, as PyTorch has them. */
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
