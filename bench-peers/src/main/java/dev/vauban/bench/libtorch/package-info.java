/** The meta-steps in libtorch, through its JavaCPP bindings. */
package dev.vauban.bench.libtorch;
