/**
 * Image data for few-shot learning: sets decoded once into off-heap blocks, their splits, and
 * episodes as index lists. Open one with {@link dev.vauban.nn.data.DataSets#open}.
 */
package dev.vauban.nn.data;
