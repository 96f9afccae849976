package dev.vauban.cli.job;

import dev.vauban.tensor.Plan;
import java.util.List;

/**
 * A compiled meta-step.
 *
 * @param text the plan as a table: kernel, shapes, FLOPs, bytes, source line
 * @param kernels how many
 * @param parts the kernels, maps and loops in order
 * @param flops floating-point operations of one replay
 * @param bytes of the slab
 */
public record PlanView(
    String text, long kernels, List<Plan.Part> parts, double flops, long bytes) {}
