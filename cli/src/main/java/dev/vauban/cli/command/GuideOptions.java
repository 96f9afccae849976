package dev.vauban.cli.command;

import dev.vauban.adversarial.blackbox.BlackBoxAttack;
import dev.vauban.adversarial.blackbox.Oracle;
import dev.vauban.cli.config.GuidedAttack;
import dev.vauban.cli.config.Range;
import dev.vauban.cli.config.Victim;
import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.job.Guidance;
import dev.vauban.cli.job.QueryVictim;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Option;

/** Guides of black-box attacks: what proposes, and how it goes on learning. */
public final class GuideOptions {
  @Option(
      names = "--generator",
      paramLabel = "RUN",
      description =
          "a run of 'vauban mcg train' or its generator.safetensors, for attacks named mcg+ATTACK (its"
              + " generator proposes) and transfer+ATTACK (momentum FGSM on its surrogates)")
  Path generator;

  @Range(min = 1, max = 10_000)
  @Option(
      names = "--proposals",
      paramLabel = "N",
      defaultValue = "3",
      description = "proposals for each image before the attack (default: ${DEFAULT-VALUE})")
  int proposals;

  @Range(min = 1, max = 10_000)
  @Option(
      names = "--group",
      paramLabel = "N",
      defaultValue = "20",
      description =
          "images that are proposed for at a time; their answers serve the next ones (default:"
              + " ${DEFAULT-VALUE})")
  int group;

  @Range(min = 0, max = 10_000)
  @Option(
      names = "--feedback-steps",
      paramLabel = "N",
      defaultValue = "5",
      description =
          "steps in which the surrogates learn the victim's answers, before each round of proposals for"
              + " a group; 0 for none"
              + " (default: ${DEFAULT-VALUE})")
  int feedbackSteps;

  @Range(above = 0, max = 10)
  @Option(
      names = "--feedback-rate",
      paramLabel = "RATE",
      defaultValue = "0.001",
      description = "Adam's step size in these (default: ${DEFAULT-VALUE})")
  double feedbackRate;

  @Range(min = 1, max = 1_000_000)
  @Option(
      names = "--feedback-memory",
      paramLabel = "N",
      defaultValue = "256",
      description =
          "answered images that they learn from, the last ones (default: ${DEFAULT-VALUE})")
  int feedbackMemory;

  @Range(min = 1, max = 1000)
  @Option(
      names = "--adapt-steps",
      paramLabel = "N",
      defaultValue = "10",
      description = "steps in which the generator adapts to an image (default: ${DEFAULT-VALUE})")
  int adaptSteps;

  @Range(above = 0, max = 10)
  @Option(
      names = "--adapt-rate",
      paramLabel = "RATE",
      defaultValue = "0.002",
      description = "Adam's step size in these (default: ${DEFAULT-VALUE})")
  double adaptRate;

  @Range(min = 0, max = 1)
  @Option(
      names = "--carry",
      paramLabel = "SHARE",
      defaultValue = "0.2",
      description =
          "share of what the generator learned in a round of proposals that the next one begins with"
              + " (default: ${DEFAULT-VALUE})")
  double carry;

  /**
   * The guidance of some attacks; null if none of them has a guide.
   *
   * @throws CommandException exit 2, if guide, attacks and victim do not belong together
   */
  Guidance guidance(List<GuidedAttack> attacks, QueryVictim victim) {
    List<GuidedAttack> guided = attacks.stream().filter(GuidedAttack::guided).toList();
    if (generator == null) {
      if (guided.isEmpty()) {
        return null;
      }
      throw CommandException.badInput(
          "--attack %s: a guide needs --generator, a run of 'vauban mcg train'"
              .formatted(guided.getFirst()));
    }
    if (guided.isEmpty()) {
      throw CommandException.badInput(
          "--generator %s: no attack begins with it; write --attack mcg+%s"
              .formatted(generator, suited(attacks)));
    }
    if (victim instanceof QueryVictim.OfVauban v && v.kind() == Victim.ADAPTED) {
      throw CommandException.badInput(
          "--attack %s: the generator knows the classes of a whole data set, an adapted victim those"
                  .formatted(guided.getFirst())
              + " of its episode; use --victim classifier");
    }
    return new Guidance(
        generator,
        proposals,
        group,
        new Guidance.Feedback(feedbackSteps, feedbackRate, feedbackMemory),
        new Guidance.Adapting(adaptSteps, adaptRate, carry));
  }

  private static String suited(List<GuidedAttack> attacks) {
    return attacks.stream()
        .map(GuidedAttack::attack)
        .filter(attack -> attack.needs() == Oracle.Reply.SCORES)
        .findFirst()
        .map(BlackBoxAttack::name)
        .orElse("square");
  }
}
