/** Traced expressions, their transforms (grad, vmap) and the plans that run them. */
package dev.vauban.tensor;
