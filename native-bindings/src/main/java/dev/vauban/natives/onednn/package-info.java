/**
 * oneDNN's convolutions and matrix products on the caller's memory: NHWC activations, HWIO weights,
 * one thread per call.
 */
package dev.vauban.natives.onednn;
