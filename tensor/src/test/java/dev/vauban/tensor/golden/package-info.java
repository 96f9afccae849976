/** Reference values of float64 PyTorch, and how programs are compared with them. */
package dev.vauban.tensor.golden;
