package dev.vauban.bench.gates;

/**
 * A gate's outcome.
 *
 * @param gate for example {@code G2}
 * @param claim what must hold
 * @param measured what was measured
 * @param reference what the independent implementation measured, or empty
 * @param pass whether the claim holds
 */
public record Verdict(String gate, String claim, String measured, String reference, boolean pass) {
  /** {@code PASS} or {@code FAIL}. */
  public String word() {
    return pass ? "PASS" : "FAIL";
  }
}
