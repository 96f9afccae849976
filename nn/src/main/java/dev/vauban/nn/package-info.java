/**
 * Layers as pure functions over parameter trees, models, losses, optimisers, the trainer and
 * checkpoints.
 */
package dev.vauban.nn;
