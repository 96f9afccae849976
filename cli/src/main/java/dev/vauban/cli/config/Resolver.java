package dev.vauban.cli.config;

import dev.vauban.cli.failure.CommandException;
import dev.vauban.nn.NearestName;
import java.lang.reflect.Field;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;

/**
 * Parses a command line and merges in the other sources of values: a flag beats the environment
 * beats {@code --config} beats an earlier run's settings beats what the other values suggest beats
 * the default.
 *
 * <p>Parsing takes a few passes because the sources depend on each other: the flags name the file,
 * and the file may name the data set that decides a default.
 */
public final class Resolver {
  /** Options that steer the command itself; they are no settings of the work. */
  private static final Set<String> STEERING =
      Set.of("help", "version", "json", "verbose", "quiet", "config", "print-config", "resume");

  private final CommandLine root;
  private final Map<String, String> environment;

  /** A resolver for {@code root}'s commands. */
  public Resolver(CommandLine root, Map<String, String> environment) {
    this.root = root;
    this.environment = environment;
  }

  /**
   * A parsed command line.
   *
   * @param parse picocli's result for all levels
   * @param settings the merged settings of the deepest command
   * @param notices what the user should hear before the work starts
   */
  public record Resolved(ParseResult parse, Settings settings, List<String> notices) {
    /** The deepest command's parse. */
    public ParseResult leaf() {
      return leafOf(parse);
    }
  }

  /**
   * Parses {@code arguments} and merges all sources; the command's fields hold the final values
   * afterwards.
   *
   * @throws CommandException exit 2, if an argument, key or value is not accepted
   */
  public Resolved resolve(String... arguments) {
    Layers layers = new Layers();
    ParseResult flags = parse(layers, arguments);
    CommandSpec spec = leafOf(flags).commandSpec();
    List<String> notices = new ArrayList<>();
    if (helpWanted(flags)) {
      return new Resolved(flags, settings(leafOf(flags), layers), notices);
    }
    if (spec.findOption("--config") == null) {
      checkRanges(leafOf(flags), layers);
      return new Resolved(flags, settings(leafOf(flags), layers), notices);
    }
    Map<String, Settings.Value> fromEnvironment = fromEnvironment(spec, notices);
    Map<String, Settings.Value> fromFile = fromFile(leafOf(flags), spec);
    layers.add(fromEnvironment);
    layers.add(fromFile);
    ParseResult result = parse(layers, arguments);
    if (spec.userObject() instanceof Base command && command.base().isPresent()) {
      Base.Inherited inherited = command.base().get();
      Map<String, Settings.Value> fromRun = fromRun(inherited.file(), spec);
      fromRun.keySet().removeIf(inherited.taken().negate());
      layers = new Layers();
      boolean strongest = inherited.rank() == Base.Rank.BELOW_FLAGS;
      for (var layer :
          strongest
              ? List.of(fromRun, fromEnvironment, fromFile)
              : List.of(fromEnvironment, fromFile, fromRun)) {
        layers.add(layer);
      }
      result = parse(layers, arguments);
    }
    if (spec.userObject() instanceof Presets command) {
      layers.add(command.presets());
      result = parse(layers, arguments);
    }
    checkRanges(leafOf(result), layers);
    return new Resolved(result, settings(leafOf(result), layers), notices);
  }

  /**
   * Sets the options of {@code holder} to what {@code file} says; keys of other commands are left
   * out.
   *
   * @throws CommandException exit 2, if a value is not accepted
   */
  public static void load(Object holder, Path file) {
    CommandLine line = Converters.register(new CommandLine(holder));
    Layers layers = new Layers();
    layers.add(fromRun(file, line.getCommandSpec()));
    Resolver resolver = new Resolver(line, Map.of());
    checkRanges(resolver.parse(layers), layers);
  }

  private static ParseResult leafOf(ParseResult result) {
    ParseResult leaf = result;
    while (leaf.hasSubcommand()) {
      leaf = leaf.subcommand();
    }
    return leaf;
  }

  private static boolean helpWanted(ParseResult result) {
    for (ParseResult p = result; p != null; p = p.hasSubcommand() ? p.subcommand() : null) {
      if (p.isUsageHelpRequested() || p.isVersionHelpRequested()) {
        return true;
      }
    }
    return false;
  }

  private ParseResult parse(Layers layers, String... arguments) {
    root.setDefaultValueProvider(layers);
    // picocli would put environment variables into the values of files, and so into reports too.
    root.setInterpolateVariables(false);
    try {
      return root.parseArgs(arguments);
    } catch (ParameterException e) {
      throw CommandException.badInput(sentence(e, layers), e);
    } finally {
      root.setInterpolateVariables(true); // in help texts
    }
  }

  private Map<String, Settings.Value> fromEnvironment(CommandSpec spec, List<String> notices) {
    Map<String, Settings.Value> values = new LinkedHashMap<>();
    Map<String, String> names = new LinkedHashMap<>();
    settingNames(spec).forEach(name -> names.put(Layers.variable(name), name));
    Set<String> known =
        allCommands(root.getCommandSpec())
            .flatMap(s -> settingNames(s).stream())
            .map(Layers::variable)
            .collect(Collectors.toSet());
    environment.forEach((variable, text) -> {
      if (names.containsKey(variable)) {
        values.put(names.get(variable), new Settings.Value(text, variable));
      } else if (variable.startsWith("VAUBAN_") && !known.contains(variable)) {
        known.stream()
            .filter(k -> NearestName.of(variable, List.of(k)).isPresent() && close(variable, k))
            .min(java.util.Comparator.naturalOrder())
            .ifPresent(k ->
                notices.add(
                    "the environment variable "
                        + variable
                        + " sets nothing; did you mean "
                        + k
                        + "?"));
      }
    });
    return values;
  }

  /** All variables share the prefix, so only a slip of a letter or two counts as a slip. */
  private static boolean close(String variable, String known) {
    return Math.abs(variable.length() - known.length()) <= 1
        && NearestName.of(variable.substring(7), List.of(known.substring(7))).isPresent();
  }

  private Map<String, Settings.Value> fromFile(ParseResult leaf, CommandSpec spec) {
    Path file = leaf.matchedOptionValue("--config", null);
    if (file == null && environment.containsKey("VAUBAN_CONFIG")) {
      file = Path.of(environment.get("VAUBAN_CONFIG"));
    }
    if (file == null) {
      return Map.of();
    }
    String name = file.toString();
    Map<String, Settings.Value> values = new LinkedHashMap<>();
    ConfigFile.read(file)
        .forEach((key, entry) -> {
          if (!settingNames(spec).contains(key)) {
            throw CommandException.badInput(
                name + " line " + entry.line() + ": " + unknownKey(key, spec));
          }
          values.put(
              key, new Settings.Value(value(entry, key, spec), name + " line " + entry.line()));
        });
    return values;
  }

  private String unknownKey(String key, CommandSpec spec) {
    List<String> owners =
        allCommands(root.getCommandSpec())
            .filter(s -> settingNames(s).contains(key))
            .map(CommandSpec::qualifiedName)
            .toList();
    if (!owners.isEmpty()) {
      return "the key '"
          + key
          + "' belongs to '"
          + owners.get(0)
          + "', not to '"
          + spec.qualifiedName()
          + "'";
    }
    return NearestName.unknown("key", key, List.copyOf(settingNames(spec)))
        + (NearestName.of(key, settingNames(spec)).isPresent()
            ? ""
            : "; '" + spec.qualifiedName() + " --print-config' lists the keys");
  }

  private static Map<String, Settings.Value> fromRun(Path file, CommandSpec spec) {
    Map<String, Settings.Value> values = new LinkedHashMap<>();
    ConfigFile.read(file)
        .forEach((key, entry) -> {
          if (settingNames(spec).contains(key)) {
            values.put(key, new Settings.Value(value(entry, key, spec), file.toString()));
          }
        });
    return values;
  }

  private static String value(ConfigFile.Entry entry, String key, CommandSpec spec) {
    return entry.value(Layers.separator(spec.findOption(key)));
  }

  private static java.util.stream.Stream<CommandSpec> allCommands(CommandSpec spec) {
    return java.util.stream.Stream.concat(
        java.util.stream.Stream.of(spec),
        spec.subcommands().values().stream().flatMap(c -> allCommands(c.getCommandSpec())));
  }

  private static Set<String> settingNames(CommandSpec spec) {
    return spec.options().stream()
        .map(Layers::name)
        .filter(name -> !STEERING.contains(name))
        .collect(Collectors.toCollection(java.util.LinkedHashSet::new));
  }

  private static Settings settings(ParseResult leaf, Layers layers) {
    Map<String, Settings.Value> values = new LinkedHashMap<>();
    for (OptionSpec option : leaf.commandSpec().options()) {
      Object value = option.getValue();
      if (value != null && !STEERING.contains(Layers.name(option))) {
        String text =
            value instanceof Collection<?> items
                ? items.stream()
                    .map(Object::toString)
                    .collect(Collectors.joining(Layers.separator(option)))
                : value.toString();
        values.put(Layers.name(option), new Settings.Value(text, source(leaf, option, layers)));
      }
    }
    return new Settings(leaf.commandSpec().qualifiedName(), values);
  }

  private static String source(ParseResult leaf, OptionSpec option, Layers layers) {
    return leaf.hasMatchedOption(option) ? "flag" : layers.source(option);
  }

  private static void checkRanges(ParseResult leaf, Layers layers) {
    for (OptionSpec option : leaf.commandSpec().options()) {
      boolean ranged =
          option.userObject() instanceof Field field && field.isAnnotationPresent(Range.class);
      if (!ranged || option.getValue() == null) {
        continue;
      }
      Range range = ((Field) option.userObject()).getAnnotation(Range.class);
      Object value = option.getValue();
      for (Object item : value instanceof Collection<?> items ? items : List.of(value)) {
        double number = ((Number) item).doubleValue();
        if (number < range.min() || number <= range.above() || number > range.max()) {
          throw CommandException.badInput(
              origin(leaf.hasMatchedOption(option), option, layers, item.toString())
                  + ": "
                  + Layers.name(option)
                  + " must be "
                  + bounds(range));
        }
      }
    }
  }

  private static String bounds(Range range) {
    List<String> parts = new ArrayList<>();
    if (range.min() != Double.NEGATIVE_INFINITY) {
      parts.add("at least " + plain(range.min()));
    }
    if (range.above() != Double.NEGATIVE_INFINITY) {
      parts.add("above " + plain(range.above()));
    }
    if (range.max() != Double.POSITIVE_INFINITY) {
      parts.add("at most " + plain(range.max()));
    }
    return String.join(" and ", parts);
  }

  private static String plain(double bound) {
    return bound == Math.rint(bound) ? Long.toString((long) bound) : Double.toString(bound);
  }

  /**
   * How the user wrote the value: {@code --ways 0}, {@code VAUBAN_WAYS=0}, {@code f.yaml line 3}.
   */
  private static String origin(boolean flag, OptionSpec option, Layers layers, String value) {
    String source = layers.source(option);
    if (flag || source.equals("default")) {
      return option.longestName() + " " + value;
    }
    return source.startsWith("VAUBAN_")
        ? source + "=" + value
        : source + ": " + Layers.name(option) + ": " + value;
  }

  private String sentence(ParameterException e, Layers layers) {
    CommandSpec spec = e.getCommandLine().getCommandSpec();
    String help = "; see '" + spec.qualifiedName() + " --help'";
    if (e instanceof CommandLine.UnmatchedArgumentException unmatched) {
      return unmatched(unmatched.getUnmatched().get(0), spec) + help;
    }
    if (e.getArgSpec() instanceof OptionSpec option
        && e.getMessage().startsWith("Invalid value for ")
        && e.getMessage().contains(": ")) {
      String reason = e.getMessage().substring(e.getMessage().indexOf(": ") + 2);
      String value = e.getValue() == null ? "" : e.getValue();
      boolean flag = layers.source(option).equals("default");
      return origin(flag, option, layers, value) + ": " + reason;
    }
    if (e.getArgSpec() instanceof PositionalParamSpec parameter && e.getMessage().contains("): ")) {
      String reason = e.getMessage().substring(e.getMessage().indexOf("): ") + 3);
      return parameter.paramLabel() + " " + e.getValue() + ": " + reason;
    }
    String message = e.getMessage().lines().findFirst().orElse("wrong arguments");
    return Character.toLowerCase(message.charAt(0)) + message.substring(1) + help;
  }

  private static String unmatched(String argument, CommandSpec spec) {
    if (argument.startsWith("-")) {
      String name = argument.replaceFirst("=.*", "");
      List<String> options =
          spec.options().stream().flatMap(o -> List.of(o.names()).stream()).toList();
      String nearest =
          NearestName.of(
                  name.replaceFirst("^-+", ""),
                  options.stream().map(o -> o.replaceFirst("^-+", "")).toList())
              .map(n -> "; did you mean '" + (n.length() == 1 ? "-" : "--") + n + "'?")
              .orElse("");
      return "unknown option '" + name + "' of '" + spec.qualifiedName() + "'" + nearest;
    }
    if (!spec.subcommands().isEmpty() && spec.positionalParameters().isEmpty()) {
      return NearestName.unknown("command", argument, List.copyOf(spec.subcommands().keySet()));
    }
    return "unexpected argument '" + argument + "'";
  }
}
