/**
 * Random changes of images that keep their class, as traced operations: they run inside the plan,
 * on every backend, with counter-based randomness.
 */
package dev.vauban.nn.augment;
