package dev.vauban.cli.oracle;

import dev.vauban.adversarial.blackbox.Answers;
import dev.vauban.adversarial.blackbox.Oracle;
import dev.vauban.adversarial.blackbox.OracleException;
import dev.vauban.tensor.Shape;
import java.util.function.UnaryOperator;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The one JSON contract of services and programs, on one line each way; {@code docs/black-box.md}
 * describes it. Asked: {@code {"shape":[H,W,C],"images":[[...],...]}} with pixels in [0,1] in
 * row-major order. Answered: {@code {"scores":[[...],...]}} or {@code {"labels":[...]}}, a row for
 * each image, or {@code {"error":"a sentence"}}.
 */
public final class JsonContract {
  /** The longest answer that is read, in bytes. */
  static final int LONGEST = 64 << 20;

  private static final int SHOWN = 60;

  private JsonContract() {}

  /** The question, without a line's end. Each number reads back as the same float. */
  public static String question(float[][] images, Shape shape) {
    StringBuilder json = new StringBuilder(16 * images.length * (int) shape.size());
    json.append("{\"shape\":[");
    for (int i = 0; i < shape.rank(); i++) {
      json.append(i == 0 ? "" : ",").append(shape.dim(i));
    }
    json.append("],\"images\":[");
    for (int n = 0; n < images.length; n++) {
      json.append(n == 0 ? "[" : ",[");
      for (int i = 0; i < images[n].length; i++) {
        json.append(i == 0 ? "" : ",").append(images[n][i]);
      }
      json.append(']');
    }
    return json.append("]}").toString();
  }

  /**
   * Reads an answer. Whether the numbers make sense is the {@link
   * dev.vauban.adversarial.blackbox.MeteredOracle}'s to judge.
   *
   * @param who the service or program, for sentences
   * @throws OracleException that lasts, if the text is no answer
   */
  public static Answers answer(String text, Oracle.Reply reply, String who) {
    return answer(text, reply, who, UnaryOperator.identity());
  }

  /**
   * Reads an answer of somebody who may repeat what is not to be shown.
   *
   * @param hide takes that out of what a sentence quotes of the answer
   */
  static Answers answer(String text, Oracle.Reply reply, String who, UnaryOperator<String> hide) {
    JsonNode json;
    try {
      json = JsonMapper.shared().readTree(text);
    } catch (JacksonException e) {
      throw lasting(who + " did not answer in JSON but with '" + shown(hide.apply(text)) + "'", e);
    }
    if (json.path("error").isString()) {
      throw lasting(who + " refused: " + shown(hide.apply(json.path("error").asString())), null);
    }
    String name = reply == Oracle.Reply.SCORES ? "scores" : "labels";
    JsonNode rows = json.path(name);
    if (!rows.isArray()) {
      throw lasting("the answer of " + who + " has no array \"" + name + "\"", null);
    }
    return reply == Oracle.Reply.SCORES
        ? Answers.ofScores(scores(rows, who, hide))
        : Answers.ofLabels(labels(rows, who, hide));
  }

  private static double[][] scores(JsonNode rows, String who, UnaryOperator<String> hide) {
    double[][] scores = new double[rows.size()][];
    for (int i = 0; i < scores.length; i++) {
      JsonNode row = rows.get(i);
      if (!row.isArray() || row.isEmpty()) {
        throw lasting("row " + i + " of the scores of " + who + " is no array of numbers", null);
      }
      scores[i] = new double[row.size()];
      for (int c = 0; c < row.size(); c++) {
        if (!row.get(c).isNumber()) {
          throw lasting(
              "row "
                  + i
                  + " of the scores of "
                  + who
                  + " has "
                  + shown(hide.apply(row.get(c).toString()))
                  + " for a number",
              null);
        }
        scores[i][c] = row.get(c).asDouble();
      }
    }
    return scores;
  }

  private static int[] labels(JsonNode rows, String who, UnaryOperator<String> hide) {
    int[] labels = new int[rows.size()];
    for (int i = 0; i < labels.length; i++) {
      if (!rows.get(i).canConvertToInt() || !rows.get(i).isIntegralNumber()) {
        throw lasting(
            "label "
                + i
                + " of "
                + who
                + " is "
                + shown(hide.apply(rows.get(i).toString()))
                + ", no class",
            null);
      }
      labels[i] = rows.get(i).asInt();
    }
    return labels;
  }

  private static OracleException lasting(String sentence, Throwable cause) {
    return new OracleException(OracleException.Kind.LASTING, sentence, cause);
  }

  /** The beginning of a text, on one line. */
  static String shown(String text) {
    String line = text.strip().replaceAll("\\s+", " ");
    return line.length() <= SHOWN ? line : line.substring(0, SHOWN) + "...";
  }
}
