/**
 * What {@code bench/gpu-check} runs on a machine with a card: correctness first, then speed beside
 * what that machine has. Test sources, since it uses the tables of the other modules' tests.
 */
package dev.vauban.bench.gpu;
