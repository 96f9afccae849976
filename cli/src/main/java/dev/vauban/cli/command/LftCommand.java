package dev.vauban.cli.command;

import picocli.CommandLine;

/** {@code vauban lft}: learned fine-tuners. */
@CommandLine.Command(
    name = "lft",
    description = {
      "Learned fine-tuners: an optimiser that is a small recurrent network, meta-trained on many"
          + " few-shot tasks, whose images may differ in size, channels and victim.",
      "The tasks: one perturbation that shall fool a victim on unseen images of a few classes."
    },
    subcommands = {LftTrainCommand.class, LftAttackCommand.class, LftGapCommand.class})
public final class LftCommand {}
