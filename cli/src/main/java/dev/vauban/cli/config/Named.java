package dev.vauban.cli.config;

import dev.vauban.nn.NearestName;
import java.util.Arrays;

/** A choice that users write by name. */
public interface Named {
  /** The name on the command line, in files and in results. */
  String label();

  /**
   * The constant of {@code type} with this label.
   *
   * @param kind what the choice is called in the error, e.g. "method"
   * @throws IllegalArgumentException naming the nearest label, if there is none
   */
  static <E extends Enum<E> & Named> E parse(Class<E> type, String kind, String text) {
    for (E constant : type.getEnumConstants()) {
      if (constant.label().equalsIgnoreCase(text.strip())) {
        return constant;
      }
    }
    throw new IllegalArgumentException(
        NearestName.unknown(
            kind, text, Arrays.stream(type.getEnumConstants()).map(Named::label).toList()));
  }
}
