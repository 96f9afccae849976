package dev.vauban.cli.config;

import dev.vauban.cli.failure.CommandException;
import java.util.Locale;
import java.util.Objects;

/**
 * An attack's budget as a fraction of the pixel range, which is [0,1]. Written {@code 8/255} or as
 * a decimal in (0,1). A budget of 1 or more makes sense in L2 alone and must be written as a
 * fraction ({@code 383/255}), so that {@code 8} is never taken for {@code 8/255}.
 */
public final class Eps {
  private final double value;
  private final String text;

  private Eps(double value, String text) {
    this.value = value;
    this.text = text;
  }

  /**
   * Reads {@code 8/255} or a decimal in (0,1).
   *
   * @throws IllegalArgumentException with a sentence, for anything else
   */
  public static Eps parse(String text) {
    String written = text.strip();
    int slash = written.indexOf('/');
    if (slash >= 0) {
      double numerator = number(written.substring(0, slash), written);
      double denominator = number(written.substring(slash + 1), written);
      double value = numerator / denominator;
      if (!(value > 0) || Double.isInfinite(value)) {
        throw new IllegalArgumentException("eps must be above 0, e.g. 8/255");
      }
      return new Eps(value, written.replace(" ", ""));
    }
    double value = number(written, written);
    if (value >= 1) {
      throw new IllegalArgumentException(
          "eps is a fraction of the pixel range in (0,1); did you mean " + written + "/255?");
    }
    if (!(value > 0)) {
      throw new IllegalArgumentException(
          "eps must be above 0; it is a fraction of the pixel range in (0,1), e.g. 8/255");
    }
    return new Eps(value, written);
  }

  /** A budget of {@code n} 255ths. */
  public static Eps of255(int n) {
    return parse(n + "/255");
  }

  /** The budget as a fraction of the pixel range. */
  public double value() {
    return value;
  }

  /**
   * The budget of an attack in the L-infinity ball.
   *
   * @throws CommandException exit 2, if it is the whole pixel range or more
   */
  public double linf() {
    if (value >= 1) {
      throw CommandException.badInput(
          "--eps "
              + text
              + ": the budget of an L-infinity attack must be below 1, the whole pixel range");
    }
    return value;
  }

  private static double number(String text, String written) {
    try {
      return Double.parseDouble(text.strip());
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "eps is written as a fraction such as 8/255 or a decimal in (0,1), not '" + written + "'",
          e);
    }
  }

  /** {@code value} in 255ths where that is a round number ({@code 8/255}), else as a decimal. */
  public static String format(double value) {
    double in255 = value * 255;
    if (Math.abs(in255 - Math.rint(in255)) < 1e-4) {
      return Math.round(in255) + "/255";
    }
    return String.format(Locale.ROOT, "%.4g", value);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Eps that && that.value == value;
  }

  @Override
  public int hashCode() {
    return Objects.hash(value);
  }

  /** As it was written. */
  @Override
  public String toString() {
    return text;
  }
}
