package dev.vauban.cli.job;

/**
 * How a meta-training is validated, each time in the same way.
 *
 * @param episodes of one validation
 * @param steps fine-tune steps
 * @param shots labelled images per class; 0 for the episodes' shots
 */
public record Validations(int episodes, int steps, int shots) {}
