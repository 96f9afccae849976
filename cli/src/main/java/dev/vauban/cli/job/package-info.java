/** What the commands ask of the learning modules, and what these answer. */
package dev.vauban.cli.job;
