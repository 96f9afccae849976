package dev.vauban.cli.job;

import dev.vauban.cli.config.DataSpec;

/**
 * Which tasks: N-way K-shot episodes of a data set.
 *
 * @param data the data set
 * @param ways classes per task
 * @param shots labelled images per class
 * @param queries query images per class
 */
public record Episodes(DataSpec data, int ways, int shots, int queries) {}
