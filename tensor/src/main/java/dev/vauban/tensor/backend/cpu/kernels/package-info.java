/**
 * Kernels on plain native memory, written with the Vector API: matrix products, convolutions,
 * pooling, data movement, sorting, random numbers. What the CPU backend runs where no native
 * library does it.
 *
 * <p>Every kernel is constructed once for static shapes, checks them then, and is immutable: {@code
 * run} takes native addresses (operands, result, scratch of {@code scratchBytes()} bytes),
 * allocates nothing, may run on any number of threads at once with different results and scratch,
 * and gives the same bits every time, compiled or interpreted. Arrays are contiguous and row-major
 * unless said otherwise, images [N, H, W, C]. Addresses are not checked.
 */
package dev.vauban.tensor.backend.cpu.kernels;
