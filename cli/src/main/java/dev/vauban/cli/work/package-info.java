/**
 * The work behind the commands: training, evaluation and the quickstart on the learning modules.
 */
package dev.vauban.cli.work;
