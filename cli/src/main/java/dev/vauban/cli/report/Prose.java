package dev.vauban.cli.report;

/**
 * A heading or a paragraph.
 *
 * @param kind which
 * @param text plain text
 */
record Prose(Kind kind, String text) implements Block {
  enum Kind {
    HEADING,
    PARAGRAPH
  }

  @Override
  public String html() {
    return switch (kind) {
      case HEADING -> "<h2>" + Html.escape(text) + "</h2>\n";
      case PARAGRAPH -> "<p>" + Html.escape(text) + "</p>\n";
    };
  }
}
