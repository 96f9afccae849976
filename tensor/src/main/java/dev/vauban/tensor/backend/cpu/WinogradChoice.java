package dev.vauban.tensor.backend.cpu;

import java.util.Locale;

/** Whether convolutions may use Winograd's tiles, as the user says it. */
enum WinogradChoice {
  /** Where they pay. */
  ON,
  /** Nowhere: every sum in the order of its definition. */
  OFF;

  /** The system property: {@code on} (the default) or {@code off}. */
  static final String PROPERTY = "vauban.winograd";

  /** The environment variable that holds where the property is not set. */
  static final String VARIABLE = "VAUBAN_WINOGRAD";

  /**
   * What the property says now, or else the variable.
   *
   * @throws IllegalArgumentException if it is neither on nor off
   */
  static WinogradChoice read() {
    return parse(System.getProperty(PROPERTY, System.getenv(VARIABLE)));
  }

  /** Reads a choice; nothing or blank means on. */
  static WinogradChoice parse(String value) {
    if (value == null || value.isBlank()) {
      return ON;
    }
    return switch (value.strip().toLowerCase(Locale.ROOT)) {
      case "on" -> ON;
      case "off" -> OFF;
      default ->
          throw new IllegalArgumentException(PROPERTY + " is " + value + "; it must be on or off");
    };
  }
}
