package dev.vauban.natives.load;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Names that differ in their version. */
final class Versions {
  private static final Pattern PIECE = Pattern.compile("\\d+|\\D+");

  private Versions() {}

  /** Compares numbers in the names as numbers: {@code cuda-9} is less than {@code cuda-13.0}. */
  static int compare(String a, String b) {
    List<String> left = pieces(a);
    List<String> right = pieces(b);
    for (int i = 0; i < Math.min(left.size(), right.size()); i++) {
      String l = left.get(i);
      String r = right.get(i);
      boolean numbers = Character.isDigit(l.charAt(0)) && Character.isDigit(r.charAt(0));
      int order =
          numbers && l.length() < 10 && r.length() < 10
              ? Integer.compare(Integer.parseInt(l), Integer.parseInt(r))
              : l.compareTo(r);
      if (order != 0) {
        return order;
      }
    }
    return Integer.compare(left.size(), right.size());
  }

  private static List<String> pieces(String name) {
    List<String> pieces = new ArrayList<>();
    Matcher matcher = PIECE.matcher(name);
    while (matcher.find()) {
      pieces.add(matcher.group());
    }
    return pieces;
  }
}
