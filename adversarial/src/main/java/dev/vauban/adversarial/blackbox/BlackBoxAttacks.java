package dev.vauban.adversarial.blackbox;

import dev.vauban.nn.NearestName;
import java.util.List;
import java.util.Locale;

/** Black-box attacks by name, for configuration files and the command line. */
public final class BlackBoxAttacks {
  private static final List<BlackBoxAttack> ALL =
      List.of(
          new Square(),
          new Nes(),
          new Spsa(),
          new Zoo(),
          new ZoSignSgd(),
          new SimBa(),
          new SimBa(SimBa.Basis.WAVES, 0),
          new Bandits(),
          new HopSkipJump(),
          new SignOpt(),
          new Boundary());

  private BlackBoxAttacks() {}

  /** All of them with their papers' settings. */
  public static List<BlackBoxAttack> all() {
    return ALL;
  }

  /** The names that {@link #named} knows. */
  public static List<String> names() {
    return ALL.stream().map(BlackBoxAttack::name).toList();
  }

  /**
   * The attack of this name, with its paper's settings.
   *
   * @throws IllegalArgumentException if there is none, with the nearest name
   */
  public static BlackBoxAttack named(String name) {
    String plain = name.strip().toLowerCase(Locale.ROOT);
    return ALL.stream()
        .filter(attack -> attack.name().equals(plain))
        .findFirst()
        .orElseThrow(() ->
            new IllegalArgumentException(NearestName.unknown("black-box attack", name, names())));
  }
}
