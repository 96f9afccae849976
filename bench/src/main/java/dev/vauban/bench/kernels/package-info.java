/** Benchmarks of single kernels with JMH; run by {@code vauban bench --only kernels}. */
package dev.vauban.bench.kernels;
