/** Benchmarks: kernels, end-to-end programs, share of the measured peak. */
package dev.vauban.bench;
