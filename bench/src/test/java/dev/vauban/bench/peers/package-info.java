/** Tests of the other frameworks' side of the benchmarks. */
package dev.vauban.bench.peers;
