package dev.vauban.cli.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * An axis of a chart.
 *
 * @param label what it shows, with the unit
 * @param scale how its numbers are written
 */
public record Axis(String label, Scale scale) {

  /** How an axis writes its numbers. */
  public enum Scale {
    /** As they are. */
    NUMBER,
    /** Fractions in 0..1 as percent; the axis always spans 0 to 100%. */
    PERCENT,
    /** 255ths of the pixel range, divided by powers of two as budgets are. */
    EPS
  }

  /** The round numbers that divide [low, high] into about {@code count} parts. */
  double[] ticksOver(double low, double high, int count) {
    if (scale != Scale.EPS) {
      return ticks(low, high, count);
    }
    double step = Math.pow(2, Math.ceil(Math.log((high - low) / count) / Math.log(2)));
    return multiples(low, high, step);
  }

  /** The round numbers that divide [low, high] into about {@code count} parts. */
  static double[] ticks(double low, double high, int count) {
    double raw = (high - low) / count;
    double power = Math.pow(10, Math.floor(Math.log10(raw)));
    double step = 10 * power;
    for (double candidate : new double[] {1, 2, 2.5, 5}) {
      if (candidate * power >= raw * 0.999) {
        step = candidate * power;
        break;
      }
    }
    return multiples(low, high, step);
  }

  private static double[] multiples(double low, double high, double step) {
    List<Double> ticks = new ArrayList<>();
    for (double n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-9; n++) {
      ticks.add(n * step + 0.0); // not -0
    }
    return ticks.stream().mapToDouble(Double::doubleValue).toArray();
  }

  /** A tick's number as text. */
  String format(double value) {
    if (scale == Scale.PERCENT) {
      return String.format(Locale.ROOT, "%.0f%%", 100 * value);
    }
    double size = Math.abs(value);
    if (size >= 1000 && value == Math.rint(value)) {
      return String.format(Locale.ROOT, "%,d", (long) value).replace(",", "\u202f");
    }
    String text = String.format(Locale.ROOT, size >= 1 || size == 0 ? "%.2f" : "%.3g", value);
    return text.contains(".") && !text.contains("e") ? text.replaceAll("\\.?0+$", "") : text;
  }

  /** A value at the end of a line, more exact than a tick. */
  String exact(double value) {
    return scale == Scale.PERCENT
        ? String.format(Locale.ROOT, "%.1f%%", 100 * value)
        : String.format(Locale.ROOT, "%.3g", value);
  }
}
