/** Logging: warnings to standard error, everything of a run to its log file. */
package dev.vauban.cli.logging;
