package dev.vauban.cli.command;

import dev.vauban.cli.Version;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** {@code vauban}: the options that every command has. */
@CommandLine.Command(
    name = "vauban",
    description = "Robust few-shot learning for the JVM: meta-learning under adversarial attack.",
    versionProvider = Version.class,
    scope = ScopeType.LOCAL,
    sortOptions = false,
    subcommands = {
      QuickstartCommand.class,
      TrainCommand.class,
      EvalCommand.class,
      AttackCommand.class,
      QueryAttackCommand.class,
      DataCommand.class,
      PlanCommand.class,
      ReportCommand.class,
      ReproduceCommand.class,
      LftCommand.class,
      McgCommand.class,
      DoctorCommand.class
    },
    footer = {
      "",
      "Exit codes: 0 ok, 1 failed, 2 bad input, 3 environment, 4 a bug of Vauban, 130 interrupted.",
      "Settings: a flag beats VAUBAN_* beats --config FILE beats the default."
    })
public final class VaubanCommand {
  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      scope = ScopeType.INHERIT,
      description = "show this help")
  boolean help;

  @Option(
      names = {"-V", "--version"},
      versionHelp = true,
      description = "show the version")
  boolean version;

  @Option(
      names = "--json",
      scope = ScopeType.INHERIT,
      description = "print one JSON object instead of text")
  boolean json;

  @Option(
      names = {"-v", "--verbose"},
      scope = ScopeType.INHERIT,
      description = "also show what the library logs")
  boolean verbose;

  @Option(
      names = {"-q", "--quiet"},
      scope = ScopeType.INHERIT,
      description = "show errors only")
  boolean quiet;

  /** Whether the answer is to be JSON. */
  public boolean json() {
    return json;
  }

  /** Whether {@code --verbose} was given. */
  public boolean verbose() {
    return verbose;
  }

  /** Whether {@code --quiet} was given. */
  public boolean quiet() {
    return quiet;
  }
}
