package dev.vauban.cli.command;

import dev.vauban.cli.config.Converters;
import dev.vauban.cli.config.DataSpec;
import dev.vauban.cli.config.DeviceName;
import dev.vauban.cli.config.Range;
import dev.vauban.cli.config.Resolver;
import dev.vauban.cli.config.Scale;
import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.failure.ExitCode;
import dev.vauban.cli.failure.Failure;
import dev.vauban.cli.job.Answer;
import dev.vauban.cli.job.Evaluation;
import dev.vauban.cli.job.Session;
import dev.vauban.cli.job.TrainResult;
import dev.vauban.cli.job.TunerComparison;
import dev.vauban.cli.job.TunerResult;
import dev.vauban.cli.reproduce.Catalogue;
import dev.vauban.cli.reproduce.Reproduction;
import dev.vauban.cli.reproduce.Sheet;
import dev.vauban.cli.reproduce.Table;
import dev.vauban.cli.reproduce.UniversalReproduction;
import dev.vauban.cli.reproduce.UniversalSheet;
import dev.vauban.cli.reproduce.UniversalTable;
import dev.vauban.cli.run.AtomicFile;
import dev.vauban.nn.NearestName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code vauban reproduce}: trains and evaluates every method of a paper's table. */
@CommandLine.Command(
    name = "reproduce",
    description = {
      "Train every method of a paper's table on the same episodes, evaluate all with the same"
          + " attacks, and print our figures beside the published ones.",
      "A reproduction that was stopped goes on where it was when the same command is given again.",
      "Tables: omniglot-5w1s, omniglot-20w1s, cifarfs-5w1s, cifarfs-5w5s, its-shots, inner-steps,"
          + " when-to-robustify, mavrl-transfer, lft-universal.",
      "lft-universal trains learned fine-tuners on two image sources and tests them on these and a"
          + " third (--data A,B,UNSEEN); --episodes are its test tasks."
    },
    footer = {
      "",
      "Example:",
      "  vauban reproduce when-to-robustify --data omniglot:data/omniglot --scale small"
    })
public final class ReproduceCommand implements Command {
  @Parameters(index = "0", paramLabel = "TABLE", description = "which table")
  String table;

  @Option(
      names = "--scale",
      paramLabel = "SCALE",
      defaultValue = "small",
      description =
          "${COMPLETION-CANDIDATES}: small ends within an hour a method on two cores, full is meant"
              + " for a GPU (default: ${DEFAULT-VALUE})")
  Scale scale;

  @Option(
      names = "--methods",
      paramLabel = "LINE",
      split = ";",
      description = "lines of the table, with semicolons between them (default: all)")
  List<String> methods;

  @Option(
      names = "--data",
      paramLabel = "DATA",
      description = "other data to train and evaluate on than the table's")
  String data;

  @Range(min = 1)
  @Option(
      names = "--iterations",
      paramLabel = "N",
      description = "other meta-steps than the scale's")
  Integer iterations;

  @Range(above = 0, max = 10)
  @Option(
      names = "--meta-rate",
      paramLabel = "RATE",
      description = "another step size of the meta-parameters than each method's own")
  Double metaRate;

  @Range(min = 2, max = 1_000_000)
  @Option(
      names = "--episodes",
      paramLabel = "N",
      description = "other evaluation episodes than the scale's")
  Integer episodes;

  @Range(min = 1, max = 1024)
  @Option(names = "--filters", paramLabel = "N", description = "other filters than the scale's")
  Integer filters;

  @Range(min = 0)
  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "of training and evaluation (default: 0)")
  Long seed;

  @Range(min = 1, max = Range.MOST_WORKERS)
  @Option(names = "--workers", paramLabel = "N", description = "threads (default: all cores)")
  Integer workers;

  @Option(
      names = "--device",
      paramLabel = "DEVICE",
      description = "cpu, cuda or cuda:N (an NVIDIA card) (default: cpu)")
  DeviceName device;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "where runs and results are kept (default: reproductions/TABLE-SCALE)")
  Path out;

  @Override
  public Stop stop() {
    return Stop.AT_SAFE_POINT;
  }

  @Override
  public Answer run(Session session) {
    if (table.strip().equals(UniversalTable.NAME)) {
      return universal(session);
    }
    Table what = table();
    Path folder = folder(what.name());
    Reproduction.Outcome outcome =
        new Reproduction(
                what, scale, lines(what), own(), folder, commands(session), session.console())
            .run();
    Reproduction.Results results = outcome.results();
    Sheet sheet = new Sheet(what, results, outcome.stopped());
    Path page = folder.resolve(what.name() + ".md");
    AtomicFile.write(page, sheet.markdown());
    session.console().notice("written: " + page);
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("table", results.table());
    json.put("scale", results.scale());
    json.put("settings", results.settings());
    json.put("figures", results.figures());
    json.put("claims", sheet.verdicts());
    json.put("published", sheet.published());
    json.put("stopped", outcome.stopped());
    ExitCode code = outcome.stopped().isEmpty() ? ExitCode.OK : ExitCode.FAILED;
    return new Answer(code, sheet.text(session.console().width()), json);
  }

  /** The table of learned fine-tuners, whose lines are tuners and whose columns are steps. */
  private Answer universal(Session session) {
    refuse("--methods", methods);
    refuse("--filters", filters);
    refuse("--meta-rate", metaRate);
    UniversalTable what = new UniversalTable(scale, sources());
    Path folder = folder(UniversalTable.NAME);
    Map<String, String> own = own();
    own.remove("data");
    UniversalReproduction.Results results =
        new UniversalReproduction(what, own, folder, universalCommands(session), session.console())
            .run();
    UniversalSheet sheet = new UniversalSheet(what, results);
    Path page = folder.resolve(UniversalTable.NAME + ".md");
    AtomicFile.write(page, sheet.markdown());
    session.console().notice("written: " + page);
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("table", results.table());
    json.put("scale", results.scale());
    json.put("settings", results.settings());
    json.put("sources", results.sources());
    json.put("tests", results.tests());
    json.put("claims", sheet.verdicts());
    return Answer.ok(sheet.text(session.console().width()), json);
  }

  private static void refuse(String option, Object value) {
    if (value != null) {
      throw CommandException.badInput(
          "%s has no part in %s; leave it out".formatted(option, UniversalTable.NAME));
    }
  }

  private List<DataSpec> sources() {
    if (data == null) {
      return UniversalTable.SOURCES;
    }
    String[] specs = data.split(",");
    if (specs.length != 3) {
      throw CommandException.badInput(
          "--data %s: %s takes two sources to train on and an unseen one, with commas"
              .formatted(data, UniversalTable.NAME));
    }
    try {
      return Arrays.stream(specs).map(String::strip).map(DataSpec::parse).toList();
    } catch (IllegalArgumentException e) {
      throw CommandException.badInput("--data " + data + ": " + e.getMessage(), e);
    }
  }

  private Path folder(String name) {
    Path folder = out != null ? out : Path.of("reproductions", name + "-" + scale.label());
    if (Files.exists(folder) && !Files.isDirectory(folder)) {
      throw CommandException.badInput(folder + " is a file; choose another --out");
    }
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw Failure.writing(folder, e);
    }
    return folder;
  }

  private Table table() {
    try {
      return Catalogue.named(table);
    } catch (IllegalArgumentException e) {
      throw CommandException.badInput(e.getMessage(), e);
    }
  }

  private List<Table.Line> lines(Table what) {
    if (methods == null) {
      return what.lines();
    }
    List<String> known = what.lines().stream().map(Table.Line::label).toList();
    for (String method : methods) {
      if (!known.contains(method.strip())) {
        throw CommandException.badInput(
            "--methods: " + NearestName.unknown("line of " + what.name(), method, known));
      }
    }
    List<String> wanted = methods.stream().map(String::strip).toList();
    return what.lines().stream().filter(l -> wanted.contains(l.label())).toList();
  }

  /** What the user set, by the names of {@code train} and {@code eval}. */
  private Map<String, String> own() {
    Map<String, String> own = new LinkedHashMap<>();
    put(own, "data", data);
    put(own, "iterations", iterations);
    put(own, "meta-rate", metaRate);
    put(own, "episodes", episodes);
    put(own, "filters", filters);
    put(own, "seed", seed);
    put(own, "workers", workers);
    put(own, "device", device);
    return own;
  }

  private static void put(Map<String, String> own, String name, Object value) {
    if (value != null) {
      own.put(name, value.toString());
    }
  }

  /** The commands themselves, as if their lines had been typed. */
  private static Reproduction.Commands commands(Session session) {
    return new Reproduction.Commands() {
      @Override
      public TrainResult train(List<String> arguments) {
        return (TrainResult) answer(session, arguments).json();
      }

      @Override
      public Evaluation eval(List<String> arguments) {
        return (Evaluation) answer(session, arguments).json();
      }
    };
  }

  private static UniversalReproduction.Commands universalCommands(Session session) {
    return new UniversalReproduction.Commands() {
      @Override
      public TunerResult train(List<String> arguments) {
        return (TunerResult) answer(session, arguments).json();
      }

      @Override
      public TunerComparison attack(List<String> arguments) {
        return (TunerComparison) answer(session, arguments).json();
      }
    };
  }

  private static Answer answer(Session session, List<String> arguments) {
    CommandLine root = Converters.register(new CommandLine(new VaubanCommand()));
    Resolver.Resolved resolved =
        new Resolver(root, Map.of()).resolve(arguments.toArray(String[]::new));
    Command command = (Command) resolved.leaf().commandSpec().userObject();
    return command.run(
        new Session(
            session.console(),
            session.interrupt(),
            resolved.settings(),
            arguments,
            session.environment(),
            session.jobs()));
  }
}
