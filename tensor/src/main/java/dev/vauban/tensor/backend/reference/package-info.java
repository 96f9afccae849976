/** The definition of every operation: double precision, straight loops, no cleverness. */
package dev.vauban.tensor.backend.reference;
