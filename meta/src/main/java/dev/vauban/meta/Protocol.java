package dev.vauban.meta;

import dev.vauban.adversarial.Attack;
import dev.vauban.adversarial.AttackLoss;
import dev.vauban.adversarial.Attacks;
import dev.vauban.tensor.Expr;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;

/**
 * How a meta-learned initialisation is judged; the same for every method. The support set is clean
 * unless {@link Support} says otherwise; the whole query set is one batch, in crafting as in
 * scoring, since batch norm makes its images depend on one another; every query counts, also those
 * that were wrong without an attack.
 *
 * @param steps numbers of fine-tune steps after which to score, rising, each at least 0
 * @param attack the attack for a radius, which is an input of the plan
 * @param loss what the attack raises
 * @param target whose gradients the attack follows
 * @param support which support images to fine-tune on
 * @param chunk episodes evaluated together, at least 1; a matter of speed and memory, not of
 *     results
 */
public record Protocol(
    List<Integer> steps,
    Function<Expr, Attack> attack,
    AttackLoss loss,
    Target target,
    Support support,
    int chunk) {
  /** Whose gradients an attack follows. */
  public enum Target {
    /** The adapted weights that are scored: the white-box attack of the papers. */
    ADAPTED,
    /** The weights before adaptation, as an attacker without the support set would. */
    INITIAL
  }

  /** Which support images fine-tuning sees. */
  public enum Support {
    /** The images as they are. */
    CLEAN,
    /**
     * The images attacked anew at every step by the same attack at the weights so far: adversarial
     * fine-tuning, the A(AT) columns of adversarial querying.
     */
    ATTACKED
  }

  private static final int TEST_STEPS = 10;

  /** A protocol that fine-tunes on clean images, with attacks on the cross-entropy. */
  public Protocol(List<Integer> steps, Function<Expr, Attack> attack, Target target, int chunk) {
    this(steps, attack, AttackLoss.CROSS_ENTROPY, target, Support.CLEAN, chunk);
  }

  /** Checks the ranges. */
  public Protocol {
    steps = List.copyOf(steps);
    Objects.requireNonNull(attack, "attack");
    Objects.requireNonNull(loss, "loss");
    Objects.requireNonNull(target, "target");
    Objects.requireNonNull(support, "support");
    boolean rising = !steps.isEmpty() && steps.getFirst() >= 0;
    for (int i = 1; i < steps.size(); i++) {
      rising &= steps.get(i) > steps.get(i - 1);
    }
    if (!rising) {
      throw new IllegalArgumentException(
          "the numbers of fine-tune steps must rise from 0 or more, not " + steps);
    }
    if (chunk < 1) {
      throw new IllegalArgumentException("at least 1 episode at a time, not " + chunk);
    }
  }

  /**
   * The papers' protocol: PGD-10 with steps of 2.5 eps / 10 from a random start, white-box, after
   * 10 fine-tune steps (R-MAML and AQ train with 5).
   */
  public static Protocol papers() {
    return new Protocol(
        List.of(TEST_STEPS),
        eps -> Attacks.named("pgd-10", Attacks.Options.eps(eps)),
        Target.ADAPTED,
        8);
  }

  /** This protocol, scored after these numbers of steps. */
  public Protocol at(Integer... numbers) {
    return new Protocol(List.of(numbers), attack, loss, target, support, chunk);
  }

  /** This protocol with another attack. */
  public Protocol against(Function<Expr, Attack> other) {
    return new Protocol(steps, other, loss, target, support, chunk);
  }

  /** This protocol with an attack that raises another loss. */
  public Protocol against(AttackLoss other) {
    return new Protocol(steps, attack, other, target, support, chunk);
  }

  /** This protocol with another target. */
  public Protocol against(Target other) {
    return new Protocol(steps, attack, loss, other, support, chunk);
  }

  /** This protocol that fine-tunes on other support images. */
  public Protocol fineTuningOn(Support other) {
    return new Protocol(steps, attack, loss, target, other, chunk);
  }

  /** This protocol with another number of episodes at a time. */
  public Protocol inChunksOf(int episodes) {
    return new Protocol(steps, attack, loss, target, support, episodes);
  }
}
