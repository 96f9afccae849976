/**
 * What backends share between a graph and their kernels: the division into fused nests, nests as
 * strided loops of scalar code, poolings as pointwise code, places in one slab.
 */
package dev.vauban.tensor.backend.fusion;
