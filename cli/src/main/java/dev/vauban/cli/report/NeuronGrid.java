package dev.vauban.cli.report;

import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Inputs that maximise single features, in pairs: the input, and what was added to the grey seed.
 *
 * @param title the heading
 * @param neurons grouped by model on the page, in the order of their first appearance
 */
record NeuronGrid(String title, List<Neurons.Shown> neurons) implements Block {
  @Override
  public String html() {
    StringBuilder html = new StringBuilder("<figure class=\"images\">\n<h3>");
    html.append(Html.escape(title)).append("</h3>\n");
    Map<String, List<Neurons.Shown>> byModel =
        neurons.stream()
            .collect(
                Collectors.groupingBy(
                    n -> n.entry().model(), LinkedHashMap::new, Collectors.toList()));
    byModel.forEach((model, group) -> {
      double low = group.stream().mapToDouble(n -> n.entry().lowShare()).average().orElse(0);
      html.append(
          String.format(
              Locale.ROOT,
              "<h4>%s <span>%.0f%% of the change is of low frequency</span></h4>\n",
              Html.escape(model),
              100 * low));
      html.append("<div class=\"cards\">\n");
      group.forEach(n -> card(html, n));
      html.append("</div>\n");
    });
    html.append(
        "<figcaption>Left: the input that gradient ascent from grey finds for one feature of the"
            + " network before adaptation. Right: the change, dark. Low frequency: below a quarter"
            + " of the highest; noise has little of it.</figcaption></figure>\n");
    return html.toString();
  }

  private static void card(StringBuilder html, Neurons.Shown n) {
    html.append("<div class=\"card\"><div class=\"row\">");
    image(html, n.input(), "input");
    image(html, n.change(), "change");
    html.append("</div><div class=\"row answers\"><span>feature ");
    html.append(n.entry().neuron()).append("</span></div></div>\n");
  }

  private static void image(StringBuilder html, byte[] png, String what) {
    html.append("<img alt=\"").append(what).append("\" src=\"data:image/png;base64,");
    html.append(Base64.getEncoder().encodeToString(png)).append("\">");
  }
}
