/** Progress of long work on standard error: a bar on a terminal, else a line from time to time. */
package dev.vauban.cli.progress;
