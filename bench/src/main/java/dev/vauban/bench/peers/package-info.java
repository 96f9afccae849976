/** The same meta-steps in other frameworks, checked and then timed in turn with ours. */
package dev.vauban.bench.peers;
