package dev.vauban.adversarial;

import dev.vauban.nn.Loss;
import java.util.function.UnaryOperator;

/** A way to make a loss robust: a function from a loss to a loss. */
@FunctionalInterface
public interface Defence extends UnaryOperator<Loss> {}
