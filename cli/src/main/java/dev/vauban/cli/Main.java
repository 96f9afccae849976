package dev.vauban.cli;

import dev.vauban.cli.command.Command;
import dev.vauban.cli.command.VaubanCommand;
import dev.vauban.cli.config.Converters;
import dev.vauban.cli.config.Resolver;
import dev.vauban.cli.config.Resolver.Resolved;
import dev.vauban.cli.failure.ExitCode;
import dev.vauban.cli.failure.Failure;
import dev.vauban.cli.job.Answer;
import dev.vauban.cli.job.Jobs;
import dev.vauban.cli.job.Session;
import dev.vauban.cli.logging.LogSetup;
import dev.vauban.cli.terminal.Console;
import dev.vauban.cli.terminal.Console.Verbosity;
import dev.vauban.cli.terminal.Interrupt;
import dev.vauban.cli.terminal.Json;
import dev.vauban.cli.work.LearningJobs;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.function.Supplier;
import picocli.CommandLine;
import picocli.CommandLine.ParseResult;

/** The {@code vauban} command: parses, runs, prints the answer, and ends with an exit code. */
public final class Main {
  private final Console console;
  private final Map<String, String> environment;
  private final Supplier<Jobs> jobs;
  private final Interrupt interrupt;
  private boolean worked;

  private Main(
      Console console, Map<String, String> environment, Supplier<Jobs> jobs, Interrupt interrupt) {
    this.console = console;
    this.environment = environment;
    this.jobs = jobs;
    this.interrupt = interrupt;
  }

  /** Runs a command line and ends the process with its exit code. */
  public static void main(String[] arguments) {
    Map<String, String> environment = System.getenv();
    Main main =
        new Main(Console.ofProcess(environment), environment, LearningJobs::new, new Interrupt());
    main.exit(main.run(arguments));
  }

  /**
   * Ends the process. {@code Runtime.exit} asks for a logger (since JDK 21), which loads the whole
   * logging library; where no command ran there is nothing to shut down, so it is passed by.
   */
  private void exit(ExitCode code) {
    if (worked) {
      System.exit(code.status());
    }
    halt(code);
  }

  /**
   * Runs a command line without ending the process.
   *
   * @param console where to speak
   * @param environment the environment variables
   * @param jobs the learning modules, asked for when a command needs them
   * @param interrupt the flag that stops the work
   * @param arguments the command line
   */
  public static ExitCode run(
      Console console,
      Map<String, String> environment,
      Supplier<Jobs> jobs,
      Interrupt interrupt,
      String... arguments) {
    return new Main(console, environment, jobs, interrupt).run(arguments);
  }

  /** The command tree, as {@link #run} parses it. */
  public static CommandLine commandLine() {
    CommandLine root = new CommandLine(new VaubanCommand());
    // Other modules (bench) bring commands of their own.
    ServiceLoader.load(Command.class)
        .forEach(command -> root.addSubcommand(new CommandLine(command)));
    Converters.register(root);
    configure(root);
    return root;
  }

  private static void configure(CommandLine command) {
    command.getCommandSpec().usageMessage().sortOptions(false);
    command.setAbbreviatedOptionsAllowed(false);
    command.setAbbreviatedSubcommandsAllowed(false);
    command.getSubcommands().values().forEach(Main::configure);
  }

  private ExitCode run(String... arguments) {
    try {
      return parseAndRun(arguments);
    } catch (Throwable thrown) { // the one place where failures become exit codes
      Failure failure = Failure.of(thrown);
      String sentence = failure.sentence();
      if (failure.code() == ExitCode.BUG) {
        sentence += bugReport(thrown, arguments);
      }
      console.error(sentence);
      json(sentence, failure.code(), arguments);
      return failure.code();
    }
  }

  /** With {@code --json}, a failure is one object too. */
  private void json(String sentence, ExitCode code, String... arguments) {
    if (Arrays.asList(arguments).contains("--json")) {
      Map<String, Object> json = new LinkedHashMap<>();
      json.put("error", sentence);
      json.put("exit", code.status());
      console.result(Json.pretty(json));
    }
  }

  private ExitCode parseAndRun(String... arguments) {
    CommandLine root = commandLine();
    Resolved resolved = new Resolver(root, environment).resolve(arguments);
    ParseResult leaf = resolved.leaf();
    CommandLine command = leaf.commandSpec().commandLine();
    if (leaf.isUsageHelpRequested()) {
      console.result(usage(command, console.look()));
      return ExitCode.OK;
    }
    if (resolved.parse().isVersionHelpRequested()) {
      console.result("vauban " + Version.text());
      return ExitCode.OK;
    }
    if (!(leaf.commandSpec().userObject() instanceof Command work)) {
      console.err().println(usage(command, console.errLook()));
      json(
          "a command is missing after '%s': one of %s"
              .formatted(
                  command.getCommandSpec().qualifiedName(),
                  String.join(", ", command.getSubcommands().keySet())),
          ExitCode.BAD_INPUT,
          arguments);
      return ExitCode.BAD_INPUT;
    }
    VaubanCommand common = (VaubanCommand) root.getCommandSpec().userObject();
    if (leaf.hasMatchedOption("--print-config")) {
      console.result(
          common.json()
              ? Json.pretty(resolved.settings())
              : resolved.settings().toYaml().stripTrailing());
      return ExitCode.OK;
    }
    Console speaking = console.with(verbosity(common));
    resolved.notices().forEach(speaking::notice);
    interrupt.onSignals(
        switch (work.stop()) {
          case AT_SAFE_POINT ->
              () -> speaking.notice("stopping at the next safe point; Ctrl-C again stops at once");
          case AT_ONCE -> () -> endAtOnce(arguments);
        });
    worked = true;
    Answer answer =
        work.run(
            new Session(
                speaking,
                interrupt,
                resolved.settings(),
                List.of(arguments),
                environment::get,
                jobs));
    console.result(common.json() ? Json.pretty(answer.json()) : answer.text());
    return answer.code();
  }

  private void endAtOnce(String... arguments) {
    String sentence = "interrupted";
    console.error(sentence);
    json(sentence, ExitCode.INTERRUPTED, arguments);
    halt(ExitCode.INTERRUPTED);
  }

  private void halt(ExitCode code) {
    console.out().flush();
    console.err().flush();
    Runtime.getRuntime().halt(code.status());
  }

  private Verbosity verbosity(VaubanCommand common) {
    if (common.verbose()) {
      System.setProperty(LogSetup.LEVEL, "DEBUG");
      return Verbosity.VERBOSE;
    }
    if (common.quiet()) {
      System.setProperty(LogSetup.LEVEL, "ERROR");
      return Verbosity.QUIET;
    }
    return Verbosity.NORMAL;
  }

  private String usage(CommandLine command, Console.Look look) {
    CommandLine.Help.Ansi ansi =
        look == Console.Look.COLOUR ? CommandLine.Help.Ansi.ON : CommandLine.Help.Ansi.OFF;
    command.getCommandSpec().usageMessage().width(Math.min(100, Math.max(60, console.width())));
    return command.getUsageMessage(ansi).stripTrailing();
  }

  /** Writes the stack trace to a file and says where, for the one sentence that the user sees. */
  private static String bugReport(Throwable thrown, String... arguments) {
    StringWriter trace = new StringWriter();
    trace.append("vauban ").append(Version.text()).append(" on ");
    trace.append(System.getProperty("java.runtime.version")).append('\n');
    trace.append("arguments: ").append(String.join(" ", arguments)).append("\n\n");
    thrown.printStackTrace(new PrintWriter(trace, true));
    try {
      Path file = Files.createTempFile("vauban-bug-", ".log");
      Files.writeString(file, trace.toString());
      return "; please report it with the stack trace in " + file;
    } catch (IOException e) {
      return "; please report it with this stack trace: " + trace;
    }
  }
}
