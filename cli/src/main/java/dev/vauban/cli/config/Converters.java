package dev.vauban.cli.config;

import dev.vauban.tensor.Precision;
import java.util.Locale;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import picocli.CommandLine;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** How option texts become values. Each refusal is a sentence that says what would be right. */
public final class Converters {
  private Converters() {}

  /** Registers the converters of all option types with {@code command} and its subcommands. */
  public static CommandLine register(CommandLine command) {
    return command
        .registerConverter(Eps.class, converter(Eps::parse))
        .registerConverter(DataSpec.class, converter(DataSpec::parse))
        .registerConverter(Method.class, named(Method.class, "method"))
        .registerConverter(AttackName.class, named(AttackName.class, "attack"))
        .registerConverter(Objective.class, named(Objective.class, "attack loss"))
        .registerConverter(TrainAttack.class, named(TrainAttack.class, "training attack"))
        .registerConverter(Order.class, named(Order.class, "order"))
        .registerConverter(Model.class, named(Model.class, "model"))
        .registerConverter(Split.class, named(Split.class, "split"))
        .registerConverter(Rotations.class, named(Rotations.class, "use of rotations"))
        .registerConverter(MetaSchedule.class, named(MetaSchedule.class, "schedule"))
        .registerConverter(Regularizer.class, named(Regularizer.class, "regularizer"))
        .registerConverter(Views.class, named(Views.class, "kind of views"))
        .registerConverter(GuidedAttack.class, converter(GuidedAttack::parse))
        .registerConverter(Victim.class, named(Victim.class, "kind of victim"))
        .registerConverter(Norm.class, named(Norm.class, "norm"))
        .registerConverter(OracleReply.class, named(OracleReply.class, "kind of answers"))
        .registerConverter(SupportImages.class, named(SupportImages.class, "kind of support"))
        .registerConverter(Scale.class, named(Scale.class, "scale"))
        .registerConverter(GradientSource.class, named(GradientSource.class, "kind of gradients"))
        .registerConverter(TunerInput.class, named(TunerInput.class, "input"))
        .registerConverter(StepWeighting.class, named(StepWeighting.class, "weighting"))
        .registerConverter(JudgedOn.class, named(JudgedOn.class, "kind of images"))
        .registerConverter(DeviceName.class, converter(DeviceName::parse))
        .registerConverter(Precision.class, converter(Precision::named))
        .registerConverter(Pattern.class, converter(Converters::pattern))
        .registerConverter(int.class, converter(Converters::wholeNumber))
        .registerConverter(Integer.class, converter(Converters::wholeNumber))
        .registerConverter(long.class, converter(Converters::longNumber))
        .registerConverter(Long.class, converter(Converters::longNumber))
        .registerConverter(double.class, converter(Converters::number))
        .registerConverter(Double.class, converter(Converters::number));
  }

  private static <T> ITypeConverter<T> converter(Function<String, T> parse) {
    return text -> {
      try {
        return parse.apply(text);
      } catch (IllegalArgumentException e) {
        throw new TypeConversionException(e.getMessage());
      }
    };
  }

  private static <E extends Enum<E> & Named> ITypeConverter<E> named(Class<E> type, String kind) {
    return converter(text -> Named.parse(type, kind, text));
  }

  private static Pattern pattern(String text) {
    try {
      return Pattern.compile(text);
    } catch (PatternSyntaxException e) {
      throw new IllegalArgumentException(
          "not a regular expression: "
              + e.getDescription().toLowerCase(Locale.ROOT)
              + " at character "
              + (Math.max(0, e.getIndex()) + 1),
          e);
    }
  }

  private static int wholeNumber(String text) {
    try {
      return Integer.parseInt(text.strip().replace("_", ""));
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("a whole number is expected, not '" + text + "'", e);
    }
  }

  private static long longNumber(String text) {
    try {
      return Long.parseLong(text.strip().replace("_", ""));
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("a whole number is expected, not '" + text + "'", e);
    }
  }

  private static double number(String text) {
    try {
      double value = Double.parseDouble(text.strip().replace("_", ""));
      if (Double.isFinite(value)) {
        return value;
      }
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException("a number is expected, not '" + text + "'", e);
    }
    throw new IllegalArgumentException("a finite number is expected, not '" + text + "'");
  }
}
