package dev.vauban.meta;

import dev.vauban.adversarial.Attack;
import dev.vauban.nn.Loss;
import java.util.Objects;
import java.util.Optional;

/**
 * A meta-learner as it is trained and as it is tested. They differ where training attacks the
 * support set: the test adapts to clean examples, which is the robustness that R-MAML asks for (its
 * release and adversarial querying also report adaptation to attacked ones: {@link
 * Protocol.Support#ATTACKED}).
 *
 * @param name for tables and messages
 * @param training what meta-training minimises
 * @param evaluation how to adapt at test time
 * @param clean the loss of clean images for an adapted state
 * @param robustness the attack that training holds against, or null if it knows none
 * @param unlabeled further images without labels that each training task brings, at least 0
 */
public record Method(
    String name,
    MetaLearner training,
    MetaLearner evaluation,
    Loss clean,
    Attack robustness,
    int unlabeled) {
  /** A method that is tested as it is trained, and knows no attack. */
  public Method(String name, MetaLearner learner, Loss clean) {
    this(name, learner, learner, clean, null);
  }

  /** A method that trains on labelled images alone. */
  public Method(
      String name, MetaLearner training, MetaLearner evaluation, Loss clean, Attack robustness) {
    this(name, training, evaluation, clean, robustness, 0);
  }

  /** Checks that everything but the attack is there. */
  public Method {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(training, "training");
    Objects.requireNonNull(evaluation, "evaluation");
    Objects.requireNonNull(clean, "clean");
  }

  /** The attack that training holds against. */
  public Optional<Attack> attack() {
    return Optional.ofNullable(robustness);
  }
}
