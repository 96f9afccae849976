package dev.vauban.cli.command;

import dev.vauban.cli.config.DataSpec;
import dev.vauban.cli.config.Rotations;
import dev.vauban.cli.config.Split;
import dev.vauban.cli.job.Answer;
import dev.vauban.cli.job.DataInfo;
import dev.vauban.cli.job.Episodes;
import dev.vauban.cli.job.Session;
import dev.vauban.cli.terminal.TextTable;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code vauban data}: the data sets. */
@CommandLine.Command(
    name = "data",
    description = "Show which data sets can be read, and what one holds.",
    subcommands = {DataCommand.ListCommand.class, DataCommand.InfoCommand.class})
public final class DataCommand {

  /** {@code vauban data list}. */
  @CommandLine.Command(name = "list", description = "List the data sets that can be read.")
  public static final class ListCommand implements Command {
    @Override
    public Answer run(Session session) {
      TextTable table = new TextTable().left("data").left("what it is");
      List<Map<String, String>> json = new ArrayList<>();
      for (DataSpec.Kind kind : DataSpec.Kind.values()) {
        table.row(kind.form(), kind.description());
        Map<String, String> entry = new LinkedHashMap<>();
        entry.put("name", kind.label());
        entry.put("form", kind.form());
        entry.put("description", kind.description());
        json.add(entry);
      }
      return Answer.ok(table.format(session.console().width()), Map.of("data", json));
    }
  }

  /** {@code vauban data info DATA}. */
  @CommandLine.Command(
      name = "info",
      description = "Read a data set and show its size, splits and hash.",
      footer = {"", "Example:", "  vauban data info omniglot:data/omniglot"})
  public static final class InfoCommand implements Command {
    @Parameters(paramLabel = "DATA", description = "e.g. omniglot:DIR or glyphs")
    DataSpec data;

    @Option(
        names = "--split",
        paramLabel = "SPLIT",
        defaultValue = "vinyals",
        description = "of Omniglot: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE})")
    Split split;

    @Option(
        names = "--rotations",
        paramLabel = "WHICH",
        defaultValue = "none",
        description =
            "Omniglot characters turned by 90, 180, 270 degrees as more classes:"
                + " ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE})")
    Rotations rotations;

    @Override
    public Answer run(Session session) {
      DataInfo info =
          session.jobs().get().data(new Episodes(data, split, rotations, 2, 1, 1), session);
      TextTable table =
          new TextTable().left("split").right("classes").right("images").right("fewest per class");
      for (DataInfo.Split split : info.splits()) {
        table.row(split.name(), split.classes(), split.images(), split.fewest());
      }
      String size =
          "%s: images of %dx%d, %s; sha-256 %s"
              .formatted(
                  info.data(),
                  info.height(),
                  info.width(),
                  info.channels() == 1 ? "grey" : "colour",
                  info.sha256());
      return Answer.ok(
          size + System.lineSeparator() + table.format(session.console().width()), info);
    }
  }
}
