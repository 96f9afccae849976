package dev.vauban.adversarial.blackbox;

import dev.vauban.tensor.Key;
import java.util.Set;

/**
 * A search for a wrong answer near one image, by queries alone: a program for one image, in its
 * paper's order. A {@link Campaign} runs it for many images at once and merges their queries into
 * common calls.
 *
 * <p>The program need not look after its budget or notice its success: {@link Target} ends it with
 * the query that was one too many or the first that succeeded. It may return before.
 */
public interface BlackBoxAttack {
  /** The paper's name, for tables. */
  String name();

  /** What it needs to be told; an oracle of scores serves both kinds. */
  Oracle.Reply needs();

  /** The metrics in which it works. */
  default Set<Metric> metrics() {
    return Set.of(Metric.LINF, Metric.L2);
  }

  /**
   * Attacks one image until it is stopped or knows no further.
   *
   * @param target the image, and the way to ask about it
   * @param key the same key and the same answers give the same queries
   */
  void attack(Target target, Key key);
}
