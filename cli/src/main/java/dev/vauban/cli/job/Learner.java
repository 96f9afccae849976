package dev.vauban.cli.job;

import dev.vauban.cli.config.Method;
import dev.vauban.cli.config.Model;
import dev.vauban.cli.config.Order;
import dev.vauban.cli.config.TrainAttack;

/**
 * Which meta-learner and which network.
 *
 * @param method the algorithm
 * @param model the network
 * @param filters filters per convolution; null for a network with widths of its own
 * @param innerSteps gradient steps of adaptation while training
 * @param innerRate their step size
 * @param order how far gradients flow through adaptation
 * @param gamma the weight of the robust loss (robust methods)
 * @param trainAttack the attack in the robust loss
 * @param trainAttackSteps its steps
 * @param eps its L-infinity budget as a fraction of the pixel range
 */
public record Learner(
    Method method,
    Model model,
    Integer filters,
    int innerSteps,
    double innerRate,
    Order order,
    double gamma,
    TrainAttack trainAttack,
    int trainAttackSteps,
    double eps) {}
