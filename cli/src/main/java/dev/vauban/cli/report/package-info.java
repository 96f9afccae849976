/** Self-contained HTML pages about runs: tables, curves, images, provenance. */
package dev.vauban.cli.report;
