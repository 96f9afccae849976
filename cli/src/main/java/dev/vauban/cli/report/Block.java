package dev.vauban.cli.report;

/** A part of a page. */
sealed interface Block permits DataTable, Curves, ImageGrid, NeuronGrid, Prose, Facts {
  /** The part as HTML that needs nothing from outside the page. */
  String html();
}
