/** Finding, loading and calling native libraries: oneDNN on the CPU, CUDA and cuBLAS on a card. */
package dev.vauban.natives;
