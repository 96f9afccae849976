/** PyTorch in a Python process of its own. */
package dev.vauban.bench.peers.python;
