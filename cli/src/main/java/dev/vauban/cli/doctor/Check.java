package dev.vauban.cli.doctor;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One finding about the machine.
 *
 * @param name what was looked at, e.g. {@code oneDNN}
 * @param state how it is
 * @param finding what was found, in a phrase
 * @param remedy what to do; empty if nothing
 * @param facts the same for programs
 */
public record Check(
    String name, State state, String finding, String remedy, Map<String, Object> facts) {

  /** How a part of the machine is. */
  public enum State {
    /** Present and usable. */
    OK,
    /** Absent; Vauban works without it, perhaps slower. */
    OPTIONAL,
    /** Absent, and Vauban cannot work without it. */
    MISSING
  }

  /** Keeps the order of {@code facts}. */
  public Check {
    facts = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(facts));
  }

  static Check ok(String name, String finding, Map<String, Object> facts) {
    return new Check(name, State.OK, finding, "", facts);
  }

  static Check optional(String name, String finding, String remedy, Map<String, Object> facts) {
    return new Check(name, State.OPTIONAL, finding, remedy, facts);
  }

  static Check missing(String name, String finding, String remedy, Map<String, Object> facts) {
    return new Check(name, State.MISSING, finding, remedy, facts);
  }
}
