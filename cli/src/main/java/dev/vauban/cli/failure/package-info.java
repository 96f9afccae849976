/** How the command fails: exit codes and one-sentence errors. */
package dev.vauban.cli.failure;
