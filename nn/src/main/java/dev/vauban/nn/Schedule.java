package dev.vauban.nn;

import dev.vauban.tensor.DType;
import dev.vauban.tensor.Expr;

/**
 * A learning rate as a function of the step number, traced, so that one plan serves all steps.
 *
 * <p>Rates are F32 scalars; step numbers are I32 scalars that count from 0.
 */
@FunctionalInterface
public interface Schedule {
  /** The rate of step {@code step}. */
  Expr at(Expr step);

  /** The same rate at every step. */
  static Schedule constant(double rate) {
    return step -> Expr.scalar(rate);
  }

  /**
   * Half a cosine from {@code first} down to {@code last} over {@code steps} steps, then {@code
   * last} (Loshchilov and Hutter 2017, SGDR, eq. 5, without restarts).
   *
   * @param steps at least 1
   */
  static Schedule cosine(double first, double last, int steps) {
    positive("cosine schedule", steps);
    return step -> {
      Expr share = step.min(steps).cast(DType.F32).mul(1.0 / steps);
      return share.mul(Math.PI).cos().add(1).mul((first - last) / 2).add(last);
    };
  }

  /** {@code first}, multiplied by {@code factor} every {@code every} steps. */
  static Schedule steps(double first, double factor, int every) {
    positive("step schedule", every);
    return step -> {
      // Half a step keeps the quotient off the integers, where rounding could go either way.
      Expr drops = step.cast(DType.F32).add(0.5).mul(1.0 / every).floor();
      return drops.mul(Math.log(factor)).exp().mul(first);
    };
  }

  /** {@code first}, multiplied by {@code factor} at each of these steps, rising ones. */
  static Schedule staircase(double first, double factor, int... at) {
    return step -> {
      Expr rate = Expr.scalar(first);
      for (int edge : at) {
        Expr past = step.ge(edge).cast(DType.F32);
        rate = rate.mul(past.mul(factor - 1).add(1));
      }
      return rate;
    };
  }

  /** This schedule, rising linearly to its value over the first {@code steps} steps. */
  default Schedule warmedUp(int steps) {
    positive("warm-up", steps);
    return step -> at(step).mul(step.add(1).cast(DType.F32).mul(1.0 / steps).min(1));
  }

  private static void positive(String what, int steps) {
    if (steps < 1) {
      throw new IllegalArgumentException(what + ": at least 1 step, not " + steps);
    }
  }
}
