/** Tests of the meta-steps in libtorch. */
package dev.vauban.bench.libtorch;
