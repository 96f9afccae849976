package dev.vauban.cli.command;

import picocli.CommandLine;

/** {@code vauban mcg}: generators that guide black-box attacks. */
@CommandLine.Command(
    name = "mcg",
    description = {
      "Meta-conditional generators: a network that proposes a perturbation for an image, taught on"
          + " surrogates and quick to adapt, as a start for black-box attacks.",
      "'vauban query-attack --generator' uses them."
    },
    subcommands = {McgTrainCommand.class})
public final class McgCommand {}
