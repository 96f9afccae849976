package dev.vauban.cli.reproduce;

import dev.vauban.cli.config.Method;
import dev.vauban.cli.config.Named;
import dev.vauban.cli.config.Order;
import dev.vauban.cli.config.Scale;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * A table to reproduce: methods by evaluations. Every method meets the same training episodes,
 * validation and test episodes and attacks, since all of them come from the seed.
 *
 * <p>Settings are those of {@code vauban train} and {@code vauban eval} by name, so that every cell
 * can also be had by hand.
 *
 * @param name what users write
 * @param title what it shows
 * @param training settings of all methods' training, on top of the scale's
 * @param evaluating settings of all evaluations, on top of the scale's
 * @param lines the methods
 * @param measures the evaluations of each
 * @param claims what the papers say of the order of figures
 */
public record Table(
    String name,
    String title,
    Map<String, String> training,
    Map<String, String> evaluating,
    List<Line> lines,
    List<Measure> measures,
    List<Claim> claims) {

  /** Checks that claims are about lines and measures that are there. */
  public Table {
    for (Claim claim : claims) {
      for (Cell cell : List.of(claim.more(), claim.less())) {
        boolean line = lines.stream().anyMatch(l -> l.label().equals(cell.line()));
        boolean measure = measures.stream().anyMatch(m -> cell.measure().startsWith(m.label()));
        if (!line || !measure) {
          throw new IllegalArgumentException(
              name + ": no cell " + cell + " for '" + claim.text() + "'");
        }
      }
    }
  }

  /**
   * A method.
   *
   * @param label its name in the table
   * @param settings of its training, on top of the table's; {@code method} at least
   * @param published figures of the literature, as text with source, by measure; a measure without
   *     one is "not published"
   */
  public record Line(String label, Map<String, String> settings, Map<String, Published> published) {
    Method method() {
      return Named.parse(Method.class, "method", settings.get("method"));
    }

    /** The order of its meta-gradient, where that is not the scale's. */
    Optional<Order> order() {
      return settings.containsKey("order")
          ? Optional.of(Named.parse(Order.class, "order", settings.get("order")))
          : method().order();
    }
  }

  /**
   * An evaluation.
   *
   * @param label its name in the table
   * @param settings of the evaluation, on top of the table's
   */
  public record Measure(String label, Map<String, String> settings) {}

  /**
   * What the literature says.
   *
   * @param figure as printed there
   * @param source where it was read
   */
  public record Published(String figure, String source) {}

  /** Which figure of a cell. */
  public enum Kind {
    /** Accuracy on clean queries. */
    CLEAN,
    /** Accuracy under attack. */
    ROBUST,
    /** The clean features' intrinsic dimension. */
    DIMENSION
  }

  /** A figure: of which line, in which measure. */
  public record Cell(String line, String measure, Kind kind) {
    Double of(List<Figure> figures) {
      return figures.stream()
          .filter(f -> f.line().equals(line) && f.measure().equals(measure))
          .findFirst()
          .map(f -> f.value(kind))
          .filter(Objects::nonNull)
          .orElse(null);
    }

    double halfWidth(List<Figure> figures) {
      return figures.stream()
          .filter(f -> f.line().equals(line) && f.measure().equals(measure))
          .findFirst()
          .map(f -> f.halfWidth(kind))
          .orElse(0.0);
    }
  }

  /**
   * An order that a paper claims: {@code more - less} is at least {@code by}.
   *
   * @param text the claim in words
   * @param by in 0..1 for accuracies; may be negative where "not much worse" is claimed
   */
  public record Claim(String text, Cell more, Cell less, double by) {
    /** What the figures say: holds, does not hold, not decided, or not measured. */
    public String verdict(List<Figure> figures) {
      Double a = more.of(figures);
      Double b = less.of(figures);
      if (a == null || b == null) {
        return "not measured";
      }
      double excess = a - b - by;
      double noise = Math.hypot(more.halfWidth(figures), less.halfWidth(figures));
      String figure =
          more.kind() == Kind.DIMENSION
              ? "%.0f against %.0f".formatted(a, b)
              : "%+.1f points".formatted(100 * (a - b));
      if (Math.abs(excess) < noise) {
        return (excess >= 0 ? "holds" : "does not hold") + ", within the interval (" + figure + ")";
      }
      return (excess >= 0 ? "holds" : "does not hold") + " (" + figure + ")";
    }
  }

  /**
   * A measured cell.
   *
   * @param line the method's label
   * @param measure the evaluation's label
   * @param steps fine-tune steps
   * @param episodes how many
   * @param clean accuracy, 0..1
   * @param cleanCi half-width of its 95% interval
   * @param robust accuracy under attack
   * @param robustCi its half-width
   * @param dimension of clean features; null if not measured
   * @param attackedDimension of attacked features; null if not measured
   * @param linear accuracy of a linear classifier of the frozen features; null if not measured
   * @param linearRobust the same under attack; null if not measured
   * @param trainSeconds wall time of the training
   * @param trainProcessorSeconds processor time of the training
   * @param evalSeconds wall time of the evaluation
   */
  public record Figure(
      String line,
      String measure,
      int steps,
      int episodes,
      double clean,
      double cleanCi,
      double robust,
      double robustCi,
      Integer dimension,
      Integer attackedDimension,
      Double linear,
      Double linearRobust,
      double trainSeconds,
      double trainProcessorSeconds,
      double evalSeconds) {
    Double value(Kind kind) {
      return switch (kind) {
        case CLEAN -> clean;
        case ROBUST -> robust;
        case DIMENSION -> dimension == null ? null : dimension.doubleValue();
      };
    }

    double halfWidth(Kind kind) {
      return switch (kind) {
        case CLEAN -> cleanCi;
        case ROBUST -> robustCi;
        case DIMENSION -> 0;
      };
    }
  }

  /** The settings of a line's training: the scale's, then the table's, then the line's. */
  Map<String, String> training(Scale scale, Line line) {
    return merged(scaleTraining(scale), training, line.settings());
  }

  /** The settings of a measure: the scale's, then the table's, then the measure's. */
  Map<String, String> evaluating(Scale scale, Measure measure) {
    return merged(
        Map.of("episodes", scale == Scale.SMALL ? "300" : "1000"), evaluating, measure.settings());
  }

  private static Map<String, String> scaleTraining(Scale scale) {
    Map<String, String> sizes =
        scale == Scale.SMALL
            ? Map.of("iterations", "1500", "meta-batch", "4", "filters", "32")
            : Map.of("iterations", "15000", "meta-batch", "16", "filters", "64");
    return merged(sizes, Map.of("order", order(scale).label()));
  }

  /** The order of meta-gradients at this scale, where a line has no other. */
  static Order order(Scale scale) {
    return scale == Scale.SMALL ? Order.FIRST : Order.SECOND;
  }

  @SafeVarargs
  private static Map<String, String> merged(Map<String, String>... layers) {
    Map<String, String> all = new LinkedHashMap<>();
    for (Map<String, String> layer : layers) {
      all.putAll(layer);
    }
    return all;
  }
}
