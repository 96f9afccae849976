package dev.vauban.meta;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/** One case of the reference values in the directory {@code vauban.golden}. */
public final class Golden {
  private static JsonNode manifest;
  private static Path folder;
  private final JsonNode tensors;
  private final JsonNode attrs;

  private Golden(JsonNode entry) {
    this.tensors = entry.get("tensors");
    this.attrs = entry.get("attrs");
  }

  /** The case of this name; the test is skipped where there are no reference values. */
  public static synchronized Golden of(String name) {
    if (manifest == null) {
      folder = Path.of(System.getProperty("vauban.golden", "../shared/golden"));
      Path file = folder.resolve("manifest.json");
      Assumptions.assumeTrue(Files.isRegularFile(file), "no reference values at " + file);
      manifest = new ObjectMapper().readTree(file.toFile());
    }
    for (JsonNode c : manifest.get("cases")) {
      if (c.get("case").asString().equals(name)) {
        return new Golden(c);
      }
    }
    throw new IllegalArgumentException("no reference case '" + name + "'");
  }

  /** A number of the case's attributes; dots descend. */
  public double attr(String name) {
    JsonNode n = attrs;
    for (String part : name.split("\\.")) {
      n = n.get(part);
    }
    return n.asDouble();
  }

  public List<String> names() {
    return List.copyOf(tensors.propertyNames());
  }

  public int[] shape(String name) {
    JsonNode s = entry(name).get("shape");
    int[] dims = new int[s.size()];
    for (int i = 0; i < dims.length; i++) {
      dims[i] = s.get(i).asInt();
    }
    return dims;
  }

  private JsonNode entry(String name) {
    JsonNode e = tensors.get(name);
    if (e == null) {
      throw new IllegalArgumentException("no tensor '" + name + "'");
    }
    return e;
  }

  /** All elements, row-major, integers too. */
  public double[] get(String name) {
    JsonNode e = entry(name);
    long offset = e.get("offset").asLong();
    int n = 1;
    for (int d : shape(name)) {
      n *= d;
    }
    ByteBuffer b = ByteBuffer.allocate(8 * n).order(ByteOrder.LITTLE_ENDIAN);
    try (FileChannel f = FileChannel.open(folder.resolve(e.get("file").asString()))) {
      while (b.hasRemaining() && f.read(b, offset + b.position()) >= 0) {
        // Read on.
      }
    } catch (IOException x) {
      throw new IllegalStateException(x);
    }
    b.flip();
    boolean integers = e.get("dtype").asString().startsWith("i");
    double[] out = new double[n];
    for (int i = 0; i < n; i++) {
      out[i] = integers ? b.getLong() : b.getDouble();
    }
    return out;
  }

  /** [...,C,H,W] as [...,H,W,C]. */
  public double[] images(String name) {
    int[] s = shape(name);
    int r = s.length;
    int[] perm = new int[r];
    for (int i = 0; i < r; i++) {
      perm[i] = i < r - 3 ? i : i == r - 1 ? r - 3 : i + 1;
    }
    return transpose(get(name), s, perm);
  }

  /**
   * A weight in Vauban's layout: kernels OIHW as HWIO; a matrix [out,in] as [in,out], where {@code
   * chw} given, with the inputs reordered from [C,H,W] to [H,W,C].
   */
  public double[] weight(String name, int... chw) {
    int[] s = shape(name);
    if (s.length == 4) {
      return transpose(get(name), s, 2, 3, 1, 0);
    }
    if (s.length == 2 && chw.length == 3) {
      return transpose(get(name), new int[] {s[0], chw[0], chw[1], chw[2]}, 2, 3, 1, 0);
    }
    return s.length == 2 ? transpose(get(name), s, 1, 0) : get(name);
  }

  /** Row-major data of shape {@code s} with dimension i of the result being {@code perm[i]}. */
  public static double[] transpose(double[] x, int[] s, int... perm) {
    double[] out = new double[x.length];
    int r = s.length;
    int[] stride = new int[r];
    for (int i = r - 1, n = 1; i >= 0; i--) {
      stride[i] = n;
      n *= s[i];
    }
    for (int i = 0; i < out.length; i++) {
      int rest = i;
      int from = 0;
      for (int d = r - 1; d >= 0; d--) {
        int size = s[perm[d]];
        from += rest % size * stride[perm[d]];
        rest /= size;
      }
      out[i] = x[from];
    }
    return out;
  }
}
