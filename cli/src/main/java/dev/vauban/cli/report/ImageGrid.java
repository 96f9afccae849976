package dev.vauban.cli.report;

import dev.vauban.cli.config.Eps;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Attacked images in threes: clean, perturbation, adversarial, with the model's answers. Pixels are
 * enlarged without smoothing; the perturbation's scale is stated.
 *
 * @param title the heading
 * @param pictures grouped by model on the page, in the order of their first appearance
 * @param classes a sentence on how classes are counted
 */
public record ImageGrid(String title, List<Picture> pictures, String classes) implements Block {
  /** Images of tasks, whose classes are their own. */
  public ImageGrid(String title, List<Picture> pictures) {
    this(title, pictures, "Classes are the task's own, counted from 1.");
  }

  @Override
  public String html() {
    StringBuilder html = new StringBuilder("<figure class=\"images\">\n<h3>");
    html.append(Html.escape(title)).append("</h3>\n");
    Map<String, List<Picture>> byModel =
        pictures.stream()
            .collect(
                Collectors.groupingBy(Picture::model, LinkedHashMap::new, Collectors.toList()));
    byModel.forEach((model, group) -> {
      long turned = group.stream().filter(ImageGrid::fooled).count();
      html.append(
          "<h4>%s <span>%d of %d answers turned by the attack</span></h4>\n"
              .formatted(Html.escape(model), turned, group.size()));
      html.append("<div class=\"cards\">\n");
      group.forEach(picture -> card(html, picture));
      html.append("</div>\n");
    });
    html.append("<figcaption>").append(Html.escape(scale())).append("</figcaption></figure>\n");
    return html.toString();
  }

  private static boolean fooled(Picture p) {
    return p.cleanPrediction() == p.label() && p.adversarialPrediction() != p.label();
  }

  private String scale() {
    List<Double> budgets = pictures.stream().map(Picture::eps).distinct().toList();
    String full =
        budgets.size() == 1
            ? "white is +"
                + Eps.format(budgets.get(0))
                + " and black −"
                + Eps.format(budgets.get(0))
                + String.format(Locale.ROOT, " (contrast ×%.0f)", 1 / (2 * budgets.get(0)))
            : "white is +eps and black −eps of each image";
    return "Left to right: the clean image, the perturbation, the attacked image. Perturbation:"
        + " mid-grey is no change, "
        + full
        + ". "
        + classes;
  }

  private static void card(StringBuilder html, Picture p) {
    html.append("<div class=\"card\"><div class=\"row\">");
    image(html, p.clean(), "clean image");
    image(html, p.perturbation(), "perturbation");
    image(html, p.adversarial(), "attacked image");
    html.append("</div><div class=\"row answers\">");
    answer(html, p.cleanPrediction(), p.label());
    html.append("<span>±").append(Eps.format(p.eps())).append("</span>");
    answer(html, p.adversarialPrediction(), p.label());
    html.append("</div></div>\n");
  }

  private static void image(StringBuilder html, byte[] png, String what) {
    html.append("<img alt=\"").append(what).append("\" src=\"data:image/png;base64,");
    html.append(Base64.getEncoder().encodeToString(png)).append("\">");
  }

  private static void answer(StringBuilder html, int prediction, int label) {
    boolean right = prediction == label;
    html.append(
        "<span class=\"%s\">%s class %d</span>"
            .formatted(right ? "right" : "wrong", right ? "✓" : "✗", prediction + 1));
  }
}
