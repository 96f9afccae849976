/** The CPU backend: fused regions, native and Vector API kernels, one memory plan per program. */
package dev.vauban.tensor.backend.cpu;
