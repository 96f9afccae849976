/** The commands, one short page each. */
package dev.vauban.cli.command;
