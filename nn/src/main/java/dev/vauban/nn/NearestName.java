package dev.vauban.nn;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/** Finds the name that somebody who mistyped one probably meant. */
public final class NearestName {
  private static final int LISTED = 20; // more names than this only bury the hint

  private NearestName() {}

  /**
   * The closest of {@code names} to {@code typed}, if it is close enough to be a plausible slip: at
   * most a third of the letters changed, or one name is the start of the other. Case is ignored.
   */
  public static Optional<String> of(String typed, Collection<String> names) {
    String wanted = typed.toLowerCase(Locale.ROOT);
    return names.stream()
        .filter(name -> plausible(wanted, name.toLowerCase(Locale.ROOT)))
        .min(
            // Who typed the start of a name meant it, however much is missing.
            Comparator.<String, Boolean>comparing(
                    n -> wanted.length() < 3 || !n.toLowerCase(Locale.ROOT).startsWith(wanted))
                .thenComparingInt(n -> distance(wanted, n.toLowerCase(Locale.ROOT)))
                .thenComparing(Comparator.naturalOrder()));
  }

  /** The part of a sentence {@code "; did you mean 'x'?"}, or an empty text if nothing is near. */
  public static String hint(String typed, Collection<String> names) {
    return of(typed, names).map(name -> "; did you mean '" + name + "'?").orElse("");
  }

  /**
   * The sentence for an unknown name: {@code unknown method 'mamll'; did you mean 'maml'? (one of:
   * maml, fomaml)}.
   */
  public static String unknown(String kind, String typed, Collection<String> names) {
    String all = names.size() <= LISTED ? " (one of: " + String.join(", ", names) + ")" : "";
    return "unknown " + kind + " '" + typed + "'" + hint(typed, names) + all;
  }

  private static boolean plausible(String typed, String name) {
    if (typed.length() >= 3 && name.startsWith(typed) || typed.startsWith(name)) {
      return true;
    }
    return distance(typed, name) <= Math.max(1, Math.max(typed.length(), name.length()) / 3);
  }

  /**
   * The number of insertions, deletions, substitutions and swaps of neighbours that turn {@code a}
   * into {@code b} (Damerau-Levenshtein, optimal string alignment).
   */
  static int distance(String a, String b) {
    int[][] d = new int[a.length() + 1][b.length() + 1];
    for (int i = 0; i <= a.length(); i++) {
      for (int j = 0; j <= b.length(); j++) {
        if (i == 0 || j == 0) {
          d[i][j] = i + j;
          continue;
        }
        int change = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
        d[i][j] = Math.min(Math.min(d[i - 1][j], d[i][j - 1]) + 1, d[i - 1][j - 1] + change);
        boolean swapped =
            i > 1
                && j > 1
                && a.charAt(i - 1) == b.charAt(j - 2)
                && a.charAt(i - 2) == b.charAt(j - 1);
        if (swapped) {
          d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + 1);
        }
      }
    }
    return d[a.length()][b.length()];
  }
}
