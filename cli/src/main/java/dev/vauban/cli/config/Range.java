package dev.vauban.cli.config;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** The numbers that an option accepts. Checked after parsing, whatever the value's source. */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.FIELD)
public @interface Range {
  /** The largest number of threads: a device's name has room for three digits. */
  int MOST_WORKERS = 999;

  /** The smallest accepted number. */
  double min() default Double.NEGATIVE_INFINITY;

  /** A bound that itself is not accepted. */
  double above() default Double.NEGATIVE_INFINITY;

  /** The largest accepted number. */
  double max() default Double.POSITIVE_INFINITY;
}
