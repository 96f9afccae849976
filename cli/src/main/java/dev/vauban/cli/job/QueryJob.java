package dev.vauban.cli.job;

import dev.vauban.adversarial.blackbox.Limits;
import dev.vauban.adversarial.blackbox.Oracle;
import dev.vauban.adversarial.blackbox.Threat;
import dev.vauban.cli.config.GuidedAttack;
import java.time.Duration;
import java.util.List;

/**
 * Black-box attacks on one victim.
 *
 * @param victim whom they ask
 * @param episodes the data, and the tasks of an adapted victim
 * @param attacks one after the other, at least one
 * @param guidance of attacks with a guide; null if there is none
 * @param threat what counts as a success
 * @param budget queries per image and attack
 * @param images how many images, at least 1
 * @param steps of adaptation, of an adapted victim
 * @param limits over all attacks together
 * @param outside what is said of a victim outside of Vauban
 * @param examples images to return for the report
 * @param seed of the episodes and the attacks
 * @param compute where models of Vauban run
 */
public record QueryJob(
    QueryVictim victim,
    Episodes episodes,
    List<GuidedAttack> attacks,
    Guidance guidance,
    Threat threat,
    int budget,
    int images,
    int steps,
    Limits limits,
    Outside outside,
    int examples,
    long seed,
    Compute compute) {
  /**
   * A victim outside of Vauban.
   *
   * @param classes how many it tells apart; null for as many as the data have
   * @param reply what it answers with
   * @param batch the most images of one call; also of models in this process
   * @param timeout of one call
   */
  public record Outside(Integer classes, Oracle.Reply reply, int batch, Duration timeout) {}
}
