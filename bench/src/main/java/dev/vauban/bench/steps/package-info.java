/** Whole meta-steps, timed against the measured peak of the machine in the same run. */
package dev.vauban.bench.steps;
