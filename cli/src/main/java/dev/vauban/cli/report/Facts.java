package dev.vauban.cli.report;

import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Names and values, with longer texts folded away: the provenance at the foot of a page.
 *
 * @param title the heading
 * @param facts short values by name
 * @param texts longer texts by name, e.g. the settings
 */
record Facts(String title, Map<String, String> facts, Map<String, String> texts) implements Block {
  Facts {
    facts = new LinkedHashMap<>(facts);
    texts = new LinkedHashMap<>(texts);
  }

  @Override
  public String html() {
    StringBuilder html = new StringBuilder("<section class=\"facts\">\n<h3>");
    html.append(Html.escape(title)).append("</h3>\n<dl>\n");
    facts.forEach((name, value) ->
        html.append("<div><dt>")
            .append(Html.escape(name))
            .append("</dt><dd>")
            .append(Html.escape(value))
            .append("</dd></div>\n"));
    html.append("</dl>\n");
    texts.forEach((name, text) ->
        html.append("<details><summary>")
            .append(Html.escape(name))
            .append("</summary><pre>")
            .append(Html.escape(text))
            .append("</pre></details>\n"));
    return html.append("</section>\n").toString();
  }
}
