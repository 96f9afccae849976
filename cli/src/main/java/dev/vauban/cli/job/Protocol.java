package dev.vauban.cli.job;

import dev.vauban.tensor.Precision;
import java.util.List;

/**
 * How to evaluate.
 *
 * @param episodes tasks from unseen classes, the same for every model
 * @param steps the numbers of fine-tune steps to report
 * @param seed of the episodes and the attack's starts
 * @param workers threads
 * @param precision of large products
 * @param examples attacked images to return for the report
 */
public record Protocol(
    int episodes, List<Integer> steps, long seed, int workers, Precision precision, int examples) {}
