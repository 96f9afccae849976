package dev.vauban.tensor.golden;

import dev.vauban.tensor.Shape;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The reference values in the directory of system property {@code vauban.golden} ({@code
 * manifest.json} and raw files), as its README describes them; see {@link TestFolder}.
 */
public final class Golden {
  private final Path folder;
  private final List<Case> cases = new ArrayList<>();
  private final Map<String, ByteBuffer> files = new HashMap<>();

  private Golden(Path folder) {
    this.folder = folder;
  }

  /**
   * Numbers with a shape.
   *
   * @param shape the dimensions
   * @param values row-major
   * @param integer true for labels and indices
   */
  public record Array(Shape shape, double[] values, boolean integer) {
    /** Result dimension i is dimension {@code perm[i]}. */
    public Array transpose(int... perm) {
      int r = perm.length;
      int[] dims = new int[r];
      for (int i = 0; i < r; i++) {
        dims[i] = shape.dim(perm[i]);
      }
      Shape to = Shape.of(dims);
      long[] from = shape.strides();
      double[] out = new double[values.length];
      int[] index = new int[r];
      for (int k = 0; k < out.length; k++) {
        long at = 0;
        for (int i = 0; i < r; i++) {
          at += index[i] * from[perm[i]];
        }
        out[k] = values[(int) at];
        for (int i = r - 1; i >= 0 && ++index[i] == dims[i]; i--) {
          index[i] = 0;
        }
      }
      return new Array(to, out, integer);
    }

    /** Images [N,C,H,W] as [N,H,W,C]. */
    public Array images() {
      return transpose(0, 2, 3, 1);
    }

    /** Kernels [O,I,H,W] as [H,W,I,O]. */
    public Array kernels() {
      return transpose(2, 3, 1, 0);
    }

    /**
     * A matrix [O, C*H*W] of a linear layer behind a flattened image as [H*W*C, O]: its rows follow
     * the channels-last order.
     */
    public Array afterFlatten(int c, int h, int w) {
      int o = shape.dim(0);
      Array split = new Array(Shape.of(o, c, h, w), values, integer);
      Array moved = split.transpose(2, 3, 1, 0);
      return new Array(Shape.of(h * w * c, o), moved.values, integer);
    }
  }

  /**
   * One case of the manifest.
   *
   * @param name its name
   * @param op what it computes
   * @param attrs hyper-parameters
   * @param names names of its arrays
   */
  public record Case(
      Golden golden, String name, String op, JsonNode attrs, Map<String, JsonNode> names) {
    /** True if there is an array of this name. */
    public boolean has(String array) {
      return names.containsKey(array);
    }

    /** An array, in PyTorch's layout. */
    public Array array(String array) {
      JsonNode t = names.get(array);
      if (t == null) {
        throw new IllegalArgumentException(
            name + " has no array " + array + ", only " + names.keySet());
      }
      return golden.load(t);
    }

    /** True if the case's arrays lie in {@code file}. */
    public boolean in(String file) {
      return names.values().stream().anyMatch(t -> t.get("file").asString().equals(file));
    }

    @Override
    public String toString() {
      return name;
    }
  }

  /** The reference values; the test is skipped where there are none. */
  public static Golden open() {
    Path manifest = TestFolder.GOLDEN.find("manifest.json");
    try {
      Golden golden = new Golden(manifest.getParent());
      JsonNode root = JsonMapper.shared().readTree(Files.readString(manifest));
      for (JsonNode c : root.get("cases")) {
        Map<String, JsonNode> arrays = new LinkedHashMap<>();
        c.get("tensors").properties().forEach(e -> arrays.put(e.getKey(), e.getValue()));
        String name = c.get("case").asString();
        golden.cases.add(new Case(golden, name, c.get("op").asString(), c.get("attrs"), arrays));
      }
      return golden;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** All cases in order. */
  public List<Case> cases() {
    return List.copyOf(cases);
  }

  /** The cases whose arrays lie in {@code file}, for example {@code ops.bin}. */
  public List<Case> in(String file) {
    return cases.stream().filter(c -> c.in(file)).toList();
  }

  /** The case of a name. */
  public Case get(String name) {
    return cases.stream()
        .filter(c -> c.name().equals(name))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("there is no golden case " + name));
  }

  private Array load(JsonNode t) {
    int[] dims = new int[t.get("shape").size()];
    for (int i = 0; i < dims.length; i++) {
      dims[i] = t.get("shape").get(i).asInt();
    }
    ByteBuffer data = files.computeIfAbsent(t.get("file").asString(), this::bytes);
    boolean integer = t.get("dtype").asString().equals("i64");
    double[] values = new double[t.get("count").asInt()];
    int at = t.get("offset").asInt();
    for (int i = 0; i < values.length; i++) {
      values[i] = integer ? data.getLong(at + 8 * i) : data.getDouble(at + 8 * i);
    }
    return new Array(Shape.of(dims), values, integer);
  }

  private ByteBuffer bytes(String file) {
    try {
      return ByteBuffer.wrap(Files.readAllBytes(folder.resolve(file)))
          .order(ByteOrder.LITTLE_ENDIAN);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
