package dev.vauban.cli.command;

import dev.vauban.cli.job.Answer;
import dev.vauban.cli.job.Session;
import dev.vauban.cli.report.RunReport;
import dev.vauban.cli.run.RunDirectory;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code vauban report}: one page about one or more runs. */
@CommandLine.Command(
    name = "report",
    description = "Write report.html about one or more runs: curves, tables, images, provenance.",
    footer = {"", "Example:", "  vauban report runs/maml runs/rmaml-out --out compare.html"})
public final class ReportCommand implements Command {
  @Parameters(arity = "1..*", paramLabel = "RUN", description = "run directories")
  List<Path> runs;

  @Option(
      names = "--out",
      paramLabel = "FILE",
      description = "the page (default: report.html in the first run)")
  Path out;

  @Override
  public Answer run(Session session) {
    runs.forEach(RunDirectory::requireRun);
    Path written = RunReport.write(runs, out);
    return Answer.ok("report: " + written, Map.of("report", written.toString()));
  }
}
