/** The vauban command. */
package dev.vauban.cli;
