package dev.vauban.cli.report;

/** Text as HTML. */
final class Html {
  private Html() {}

  /** {@code text} with the characters that mean something to HTML replaced. */
  static String escape(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;");
  }
}
