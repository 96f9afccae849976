package dev.vauban.cli.config;

import dev.vauban.adversarial.blackbox.BlackBoxAttack;
import dev.vauban.adversarial.blackbox.BlackBoxAttacks;
import dev.vauban.adversarial.blackbox.Oracle;
import java.util.Optional;

/**
 * A black-box attack as users name it: {@code square}, or {@code mcg+square} for one that begins
 * where a guide's proposals end.
 *
 * @param guide who proposes; empty for nobody
 * @param attack what follows
 */
public record GuidedAttack(Optional<Guide> guide, BlackBoxAttack attack) {
  /** Who makes proposals. */
  public enum Guide implements Named {
    /** A white-box attack on the surrogates of a generator's file. */
    TRANSFER("transfer"),
    /** A generator. */
    MCG("mcg");

    private final String label;

    Guide(String label) {
      this.label = label;
    }

    @Override
    public String label() {
      return label;
    }
  }

  /**
   * Reads an attack's name.
   *
   * @throws IllegalArgumentException with a sentence that says what would be right
   */
  public static GuidedAttack parse(String text) {
    int plus = text.indexOf('+');
    if (plus < 0) {
      return new GuidedAttack(Optional.empty(), BlackBoxAttacks.named(text));
    }
    BlackBoxAttack attack = BlackBoxAttacks.named(text.substring(plus + 1));
    Guide guide = Named.parse(Guide.class, "guide", text.substring(0, plus).strip());
    if (attack.needs() != Oracle.Reply.SCORES) {
      throw new IllegalArgumentException(
          attack.name()
              + " works with labels and looks for a start of its own; a guide helps attacks that"
              + " need scores, such as square");
    }
    return new GuidedAttack(Optional.of(guide), attack);
  }

  /** Whether a guide proposes. */
  public boolean guided() {
    return guide.isPresent();
  }

  /** For tables: the guide's name and the attack's. */
  public String name() {
    return guide.map(g -> g.label + "+").orElse("") + attack.name();
  }

  /** As {@link #parse} reads it. */
  @Override
  public String toString() {
    return name();
  }
}
