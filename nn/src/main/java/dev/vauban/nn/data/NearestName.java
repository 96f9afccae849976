package dev.vauban.nn.data;

import java.util.Collection;
import java.util.Locale;
import java.util.Optional;

/** Finds what a mistyped name was probably meant to be. */
public final class NearestName {
  private NearestName() {}

  /**
   * The candidate with the smallest edit distance to {@code word}, ignoring case, if it is near: at
   * most a third of the longer word's letters (and at least two) differ, or one starts with the
   * other.
   */
  public static Optional<String> of(String word, Collection<String> candidates) {
    String given = word.toLowerCase(Locale.ROOT);
    String best = null;
    int least = Integer.MAX_VALUE;
    for (String candidate : candidates) {
      String known = candidate.toLowerCase(Locale.ROOT);
      int d = distance(given, known);
      boolean prefix = !given.isEmpty() && (known.startsWith(given) || given.startsWith(known));
      int limit = Math.max(2, Math.max(given.length(), known.length()) / 3);
      if (prefix) {
        d = Math.min(d, 1);
      }
      if (d <= limit && d < least) {
        least = d;
        best = candidate;
      }
    }
    return Optional.ofNullable(best);
  }

  /** The sentence part {@code "; did you mean 'x'?"}, or an empty text if nothing is near. */
  public static String hint(String word, Collection<String> candidates) {
    return of(word, candidates).map(name -> "; did you mean '" + name + "'?").orElse("");
  }

  /**
   * The end of a sentence about a name that does not exist: the nearest one, if any is near, and
   * all of them, for example {@code "; did you mean 'pgd'? There are fgsm, pgd"}.
   */
  public static String among(String word, Collection<String> candidates) {
    String near = hint(word, candidates);
    return (near.isEmpty() ? "; there are " : near + " There are ") + String.join(", ", candidates);
  }

  // Levenshtein distance, two rows.
  private static int distance(String a, String b) {
    int[] previous = new int[b.length() + 1];
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      previous[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int swap = previous[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        row[j] = Math.min(swap, Math.min(previous[j], row[j - 1]) + 1);
      }
      int[] t = previous;
      previous = row;
      row = t;
    }
    return previous[b.length()];
  }
}
