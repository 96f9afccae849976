package dev.vauban.cli.generator;

import dev.vauban.adversarial.Ball;
import dev.vauban.adversarial.L2;
import dev.vauban.adversarial.Linf;
import dev.vauban.adversarial.MiFgsm;
import dev.vauban.adversarial.blackbox.Guide;
import dev.vauban.adversarial.blackbox.Metric;
import dev.vauban.adversarial.blackbox.Oracle;
import dev.vauban.adversarial.blackbox.Threat;
import dev.vauban.cli.config.GuidedAttack;
import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.job.Guidance;
import dev.vauban.meta.generator.Adaptation;
import dev.vauban.meta.generator.Proposal;
import dev.vauban.meta.generator.SurrogateGuide;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;

/** Makes the guides of black-box attacks on one victim from a generator's file. */
public final class Guides implements AutoCloseable {
  /** Steps of the attack that is transferred. */
  private static final int TRANSFERRED_STEPS = 30;

  /** Answered images in a step of the surrogates. */
  private static final int FEEDBACK_BATCH = 20;

  private final Scope scope = Scope.open();
  private final Device device;
  private final Guidance guidance;
  private final GeneratorFile file;
  private final Threat threat;
  private final long seed;

  /**
   * Reads the generator.
   *
   * @param device where guides compute; must stay open
   * @param victim whom the attacks ask
   * @param seed of the attacks
   * @throws CommandException exit 2, if there is no generator, or it is for other images or classes
   *     than the victim
   */
  public Guides(Device device, Guidance guidance, Oracle victim, Threat threat, long seed) {
    this.device = device;
    this.guidance = guidance;
    this.threat = threat;
    this.seed = seed;
    try {
      this.file = GeneratorFile.read(guidance.generator(), scope);
      requireFit(victim);
    } catch (RuntimeException | Error e) {
      scope.close();
      throw e;
    }
  }

  private void requireFit(Oracle victim) {
    if (!file.surrogates().image().equals(victim.image())) {
      throw CommandException.badInput(
          "--generator %s: it is for images of %s, not of %s; train one on the victim's data"
              .formatted(
                  guidance.generator(),
                  GeneratorFile.plain(file.surrogates().image()),
                  GeneratorFile.plain(victim.image())));
    }
    if (file.surrogates().classes() != victim.classes()) {
      throw CommandException.badInput(
          "--generator %s: it tells %d classes apart, the victim %d; train one on the victim's data"
              .formatted(guidance.generator(), file.surrogates().classes(), victim.classes()));
    }
  }

  /** A guide that has not learned from any answer yet; the caller closes it. */
  public Guide open(GuidedAttack.Guide kind) {
    Proposal proposal =
        switch (kind) {
          case TRANSFER ->
              new Proposal.Transfer(file.surrogates(), new MiFgsm(ball(), TRANSFERRED_STEPS));
          case MCG ->
              new Proposal.Generated(
                  new Adaptation(
                      file.generator(),
                      file.surrogates(),
                      perPixel(),
                      file.kappa(),
                      guidance.adapting().steps(),
                      guidance.adapting().rate()),
                  guidance.adapting().carry());
        };
    Guidance.Feedback feedback = guidance.feedback();
    return new SurrogateGuide(
        device,
        file.surrogates(),
        file.surrogateWeights(),
        proposal,
        kind == GuidedAttack.Guide.MCG ? file.weights() : Tree.<Tensor>empty(),
        feedback.steps() == 0
            ? SurrogateGuide.Feedback.none()
            : new SurrogateGuide.Feedback(
                feedback.steps(), feedback.rate(), FEEDBACK_BATCH, feedback.memory()),
        guidance.group(),
        Purpose.GUIDE.key(seed));
  }

  private Ball ball() {
    return threat.metric() == Metric.L2 ? new L2(threat.eps()) : new Linf(threat.eps());
  }

  /**
   * By how much a generator's signs change each pixel: in L2 so much that the change of a whole
   * image has the length eps, as far as pixels stay within [0,1].
   */
  private double perPixel() {
    return threat.metric() == Metric.L2
        ? Math.min(1, threat.eps() / Math.sqrt(file.surrogates().image().size()))
        : threat.eps();
  }

  @Override
  public void close() {
    scope.close();
  }
}
