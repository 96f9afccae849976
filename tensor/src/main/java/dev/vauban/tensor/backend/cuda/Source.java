package dev.vauban.tensor.backend.cuda;

import dev.vauban.tensor.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** C text under construction, indented by its braces. */
final class Source {
  private final StringBuilder text = new StringBuilder();
  private int depth = 1;

  /** Adds a line. */
  Source line(String line) {
    if (line.startsWith("}")) {
      depth--;
    }
    text.append(line.startsWith("#") ? "" : "  ".repeat(depth)).append(line).append('\n');
    if (line.endsWith("{")) {
      depth++;
    }
    return this;
  }

  /** Adds a line made by {@link String#format}. */
  Source line(String format, Object... args) {
    return line(format.formatted(args));
  }

  /** Ends a block. */
  Source end() {
    return line("}");
  }

  /**
   * Declares the indices that a number in row-major order stands for.
   *
   * @param from the number, an expression
   * @param dims the sizes
   * @param prefix of the names of the indices, which end in their dimension
   * @param number how positions are counted
   * @return the indices; 0 for a dimension of size 1
   */
  List<String> indices(String from, List<Integer> dims, String prefix, Positions number) {
    List<String> names = new ArrayList<>();
    String rest = from;
    int outermost = 0;
    while (outermost < dims.size() && dims.get(outermost) == 1) {
      outermost++;
    }
    for (int d = dims.size() - 1; d >= 0; d--) {
      if (dims.get(d) == 1) {
        names.addFirst(number.of(0));
        continue;
      }
      String name = prefix + d;
      if (d == outermost) {
        line("const %s %s = %s;", number.type(), name, rest);
      } else {
        String size = number.of(dims.get(d));
        line("const %s %s = %s %% %s;", number.type(), name, rest, size);
        line("const %s %sr = %s / %s;", number.type(), name, rest, size);
        rest = name + "r";
      }
      names.addFirst(name);
    }
    return names;
  }

  /** The sizes of a shape. */
  static List<Integer> dims(Shape s) {
    return Arrays.stream(s.dims()).boxed().toList();
  }

  /** The sum of indices times strides, an expression. */
  static String offset(List<String> indices, List<Long> strides, Positions number) {
    List<String> terms = new ArrayList<>();
    for (int d = 0; d < indices.size(); d++) {
      long stride = strides.get(d);
      if (stride != 0 && !indices.get(d).equals(number.of(0))) {
        terms.add(stride == 1 ? indices.get(d) : indices.get(d) + " * " + number.of(stride));
      }
    }
    return terms.isEmpty() ? number.of(0) : String.join(" + ", terms);
  }

  @Override
  public String toString() {
    return text.toString();
  }

  /** How positions are counted: in 32 bits where these suffice, which is quicker. */
  enum Positions {
    SHORT("v_u32", "u"),
    LONG("v_u64", "ull");

    private final String type;
    private final String suffix;

    Positions(String type, String suffix) {
      this.type = type;
      this.suffix = suffix;
    }

    /** What counts up to {@code most}. */
    static Positions upTo(long most) {
      return most < 1L << 31 ? SHORT : LONG;
    }

    /** The C type. */
    String type() {
      return type;
    }

    /** A constant. */
    String of(long value) {
      return value + suffix;
    }
  }
}
