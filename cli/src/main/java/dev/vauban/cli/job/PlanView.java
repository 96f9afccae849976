package dev.vauban.cli.job;

/**
 * A compiled meta-step.
 *
 * @param text the plan as a table: kernel, shapes, FLOPs, bytes, source line
 * @param kernels how many
 * @param flops floating-point operations of one replay
 * @param bytes of the slab
 */
public record PlanView(String text, long kernels, double flops, long bytes) {}
