/** Tests of the timed meta-steps. */
package dev.vauban.bench.steps;
