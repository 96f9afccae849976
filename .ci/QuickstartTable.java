import java.io.File;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Judges the JSON of {@code vauban quickstart --json}; run as a source file with Jackson beside. */
class QuickstartTable {
  public static void main(String[] arguments) {
    JsonNode rows = JsonMapper.shared().readTree(new File(arguments[0])).path("rows");
    expect(rows.isArray() && rows.size() == 2, "two rows expected, not " + rows);
    JsonNode plain = null;
    JsonNode robust = null;
    for (JsonNode row : rows) {
      String method = row.path("method").asString();
      if (method.equals("maml")) {
        plain = row;
      } else if (method.startsWith("rmaml")) {
        robust = row;
      }
      for (String column : new String[] {"clean", "clean_ci", "robust", "robust_ci"}) {
        double value = row.path(column).asDouble(-1);
        expect(value >= 0 && value <= 1, method + ": " + column + " is not in 0..1: " + row);
      }
      // Five classes: a method that has learned nothing gets 0.2.
      expect(row.path("clean").asDouble() > 0.3, method + " has not learned: " + row);
    }
    expect(plain != null && robust != null, "a maml row and an rmaml row expected, not " + rows);
    double gain = robust.path("robust").asDouble() - plain.path("robust").asDouble();
    double noise = robust.path("robust_ci").asDouble() + plain.path("robust_ci").asDouble();
    expect(gain > noise, "robust accuracy differs by " + gain + ", within the intervals " + noise);
  }

  private static void expect(boolean holds, String otherwise) {
    if (!holds) {
      System.err.println(otherwise);
      System.exit(1);
    }
  }
}
