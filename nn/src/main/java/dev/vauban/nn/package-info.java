/** Layers, losses, optimisers and models as pure functions over a parameter tree. */
package dev.vauban.nn;
