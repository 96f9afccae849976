/** The terminal: output streams, tables, and the wish to stop. */
package dev.vauban.cli.terminal;
