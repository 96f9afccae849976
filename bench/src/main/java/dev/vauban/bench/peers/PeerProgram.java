package dev.vauban.bench.peers;

import java.io.Serializable;

/**
 * A benchmark's program as plain numbers: all that another framework needs to compute the same from
 * the same weights, images and labels. Images are NHWC, kernels [height,width,in,out], matrices
 * [in,out] with features in the order row, column, channel. It can be written down for another
 * process.
 */
public sealed interface PeerProgram extends Serializable permits MetaStep, BatchStep {}
