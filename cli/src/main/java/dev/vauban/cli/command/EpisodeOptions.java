package dev.vauban.cli.command;

import dev.vauban.cli.config.DataSpec;
import dev.vauban.cli.config.Range;
import dev.vauban.cli.config.Rotations;
import dev.vauban.cli.config.Split;
import dev.vauban.cli.job.Episodes;
import picocli.CommandLine.Option;

/** The tasks: which data, how many ways, shots and queries. */
public final class EpisodeOptions {
  @Option(
      names = "--data",
      paramLabel = "DATA",
      defaultValue = "glyphs",
      description =
          "omniglot:DIR, cifarfs:DIR, mnist:DIR, fashion:DIR, folder:DIR or glyphs[:SEED]"
              + " (default: ${DEFAULT-VALUE})")
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

  @Range(min = 2, max = 1000)
  @Option(
      names = "--ways",
      paramLabel = "N",
      defaultValue = "5",
      description = "classes per task (default: ${DEFAULT-VALUE})")
  int ways;

  @Range(min = 1, max = 1000)
  @Option(
      names = "--shots",
      paramLabel = "N",
      defaultValue = "1",
      description = "labelled images per class (default: ${DEFAULT-VALUE})")
  int shots;

  @Range(min = 1, max = 1000)
  @Option(
      names = "--queries",
      paramLabel = "N",
      defaultValue = "15",
      description = "query images per class (default: ${DEFAULT-VALUE})")
  int queries;

  Episodes episodes() {
    return new Episodes(data, split, rotations, ways, shots, queries);
  }
}
