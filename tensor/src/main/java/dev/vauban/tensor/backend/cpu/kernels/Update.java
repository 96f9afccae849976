package dev.vauban.tensor.backend.cpu.kernels;

/** What a kernel does to the values that its result already holds. */
public enum Update {
  /** Overwrites them; they may be anything, NaN included. */
  SET,
  /** Adds to them. */
  ADD
}
