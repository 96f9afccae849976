/** Acceptance gates: a reference measurement of robust meta-learning, repeated and judged. */
package dev.vauban.bench.gates;
