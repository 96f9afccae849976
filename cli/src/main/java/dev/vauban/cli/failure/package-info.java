/** How the command fails: exit codes, one-sentence errors, nearest names. */
package dev.vauban.cli.failure;
