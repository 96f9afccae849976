package dev.vauban.adversarial;

import dev.vauban.nn.NearestName;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.LeafOp;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Attacks by name, for configuration files and the command line. */
public final class Attacks {
  private static final List<String> NAMES =
      List.of("none", "fgsm", "fgsm-rs", "pgd", "pgd-l2", "apgd", "apgd-l2", "mi-fgsm");
  private static final Pattern STEPS = Pattern.compile("(.*[a-z].*?)-(\\d{1,6})");
  private static final int USUAL_STEPS = 10;

  private Attacks() {}

  /**
   * What a named attack may be told; what it has no use for is ignored.
   *
   * @param eps the radius, a scalar: constant or an input of the plan
   * @param step length of a step; empty for 2.5 eps / steps (mi-fgsm: eps / steps); apgd finds its
   *     own
   * @param steps number of steps; empty for 10
   * @param restarts at least 1; more than 1 keeps the worst batch, see {@link Restarts}
   * @param from where iterative attacks begin
   */
  public record Options(
      Expr eps, OptionalDouble step, OptionalInt steps, int restarts, Start from) {
    /** The usual options for a constant radius, for example {@code 8 / 255.0}. */
    public static Options eps(double eps) {
      return eps(Radius.constant(eps, Double.MAX_VALUE));
    }

    /** The usual options for a radius that may be an input of the plan. */
    public static Options eps(Expr eps) {
      return new Options(eps, OptionalDouble.empty(), OptionalInt.empty(), 1, Start.RANDOM);
    }

    /** These options with steps of this length. */
    public Options withStep(double length) {
      return new Options(eps, OptionalDouble.of(length), steps, restarts, from);
    }

    /** These options with this number of steps. */
    public Options withSteps(int number) {
      return new Options(eps, step, OptionalInt.of(number), restarts, from);
    }

    /** These options with this number of restarts. */
    public Options withRestarts(int number) {
      return new Options(eps, step, steps, number, from);
    }

    /** These options with iterative attacks beginning there. */
    public Options from(Start start) {
      return new Options(eps, step, steps, restarts, start);
    }
  }

  /** The names that {@link #named} knows. */
  public static List<String> names() {
    return NAMES;
  }

  /**
   * The attack of this name.
   *
   * @param name one of {@link #names}; iterative ones may carry their number of steps, as in {@code
   *     pgd-40}
   * @throws IllegalArgumentException if there is no such attack, with the nearest name, or an
   *     option is out of range
   */
  public static Attack named(String name, Options options) {
    String plain = name.strip().toLowerCase(Locale.ROOT);
    Matcher numbered = STEPS.matcher(plain);
    if (!NAMES.contains(plain) && numbered.matches()) {
      return named(numbered.group(1), options.withSteps(Integer.parseInt(numbered.group(2))));
    }
    Attack once = once(plain, options);
    return options.restarts() == 1 || plain.equals("none")
        ? once
        : new Restarts(once, options.restarts(), Restarts.Keep.BATCH);
  }

  private static Attack once(String name, Options o) {
    return switch (name) {
      case "none" -> new None();
      case "fgsm" -> new Fgsm(linf(o));
      case "fgsm-rs" -> new FgsmRs(linf(o));
      case "pgd" -> pgd(linf(o), o);
      case "pgd-l2" -> pgd(new L2(o.eps()), o);
      case "apgd" -> new Apgd(linf(o), o.steps().orElse(USUAL_STEPS), o.from());
      case "apgd-l2" -> new Apgd(new L2(o.eps()), o.steps().orElse(USUAL_STEPS), o.from());
      case "mi-fgsm" -> miFgsm(linf(o), o);
      default -> throw new IllegalArgumentException(NearestName.unknown("attack", name, NAMES));
    };
  }

  private static Linf linf(Options o) {
    return o.eps().op() instanceof LeafOp.Fill f ? new Linf(f.value()) : new Linf(o.eps());
  }

  private static Pgd pgd(Ball ball, Options o) {
    Pgd usual = new Pgd(ball, o.steps().orElse(USUAL_STEPS)).from(o.from());
    return o.step().isEmpty()
        ? usual
        : new Pgd(ball, Expr.scalar(o.step().getAsDouble()), usual.steps(), o.from());
  }

  private static MiFgsm miFgsm(Ball ball, Options o) {
    MiFgsm usual = new MiFgsm(ball, o.steps().orElse(USUAL_STEPS));
    return o.step().isEmpty()
        ? usual
        : new MiFgsm(ball, Expr.scalar(o.step().getAsDouble()), usual.steps(), usual.decay());
  }

  /** The images as they are. */
  record None() implements Attack {
    @Override
    public Expr perturb(UnaryOperator<Expr> loss, Expr x, Expr key) {
      return x.stopGradient();
    }

    @Override
    public String toString() {
      return "none";
    }
  }
}
