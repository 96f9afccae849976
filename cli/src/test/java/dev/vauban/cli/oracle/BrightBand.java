package dev.vauban.cli.oracle;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A model written by somebody else: which horizontal band of an image is the brightest. Knows the
 * contract of {@code docs/black-box.md} and nothing of Vauban.
 */
public final class BrightBand {
  private BrightBand() {}

  /** Answers lines on standard input, as {@code scores} or {@code labels} of so many bands. */
  public static void main(String[] arguments) throws Exception {
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      System.out.println(answer(line, arguments[0], Integer.parseInt(arguments[1])));
    }
  }

  /** The answer to a question. */
  public static String answer(String question, String as, int bands) {
    JsonNode json = JsonMapper.shared().readTree(question);
    StringBuilder rows = new StringBuilder();
    for (JsonNode image : json.get("images")) {
      double[] sums = new double[bands];
      for (int i = 0; i < image.size(); i++) {
        sums[i * bands / image.size()] += image.get(i).asDouble();
      }
      int best = 0;
      StringBuilder scores = new StringBuilder();
      for (int b = 0; b < bands; b++) {
        best = sums[b] > sums[best] ? b : best;
        scores.append(b == 0 ? "[" : ",").append(String.format(Locale.ROOT, "%.9g", sums[b]));
      }
      rows.append(rows.isEmpty() ? "" : ",").append(as.equals("scores") ? scores + "]" : best);
    }
    return "{\"" + as + "\":[" + rows + "]}";
  }
}
