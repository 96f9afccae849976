package dev.vauban.adversarial.blackbox;

import dev.vauban.adversarial.blackbox.Rounds.Stop;
import dev.vauban.tensor.Key;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A black-box attack on many images. The queries of all images still under attack go to the oracle
 * in common calls; an image leaves with its first success or the end of its budget. An image's
 * queries depend on its key and its answers alone, not on how many others are attacked with it.
 *
 * @param attack how each image is attacked
 * @param threat what counts as a success
 * @param budget the most queries for an image, at least 1; whether the clean image is right is
 *     asked apart
 * @param together the most images under attack at a time, at least 1: bounds the memory
 */
public record Campaign(BlackBoxAttack attack, Threat threat, int budget, int together) {
  private static final int TOGETHER = 256;
  private static final int STRANGERS = 10;

  /** Checks the numbers, and that the attack works in the threat's metric. */
  public Campaign {
    if (budget < 1 || together < 1) {
      throw new IllegalArgumentException(
          "at least 1 query per image and 1 image at a time, not " + budget + " and " + together);
    }
    if (!attack.metrics().contains(threat.metric())) {
      throw new IllegalArgumentException(
          "%s works in %s, not in %s"
              .formatted(attack.name(), attack.metrics().iterator().next(), threat.metric()));
    }
  }

  /** With up to 256 images at a time. */
  public Campaign(BlackBoxAttack attack, Threat threat, int budget) {
    this(attack, threat, budget, TOGETHER);
  }

  /** Receives the progress of a campaign, in its thread; may throw to end it. */
  @FunctionalInterface
  public interface Progress {
    /**
     * After each call.
     *
     * @param done images whose attack has ended
     * @param sent queries so far
     */
    void at(int done, long sent);
  }

  /**
   * Attacks without limits but the budget.
   *
   * @see #run(MeteredOracle, float[][], int[], Key, Progress)
   */
  public QueryResult run(Oracle oracle, float[][] images, int[] labels, Key key) {
    return run(new MeteredOracle(oracle, Limits.NONE), images, labels, key, (done, sent) -> {});
  }

  /**
   * Attacks. If the oracle fails or its cap is reached, what was found so far is the result, and
   * {@link QueryResult#ended} says why; only a mistake in the arguments is an exception.
   *
   * @param oracle whom to ask; stays open
   * @param images each [H,W,C] in row-major order, in [0,1]
   * @param labels their classes
   * @param key of all randomness; image i's is {@code key.fold(i)}
   * @param progress told after each call
   * @throws IllegalArgumentException if images, labels and oracle do not fit one another
   */
  public QueryResult run(
      MeteredOracle oracle, float[][] images, int[] labels, Key key, Progress progress) {
    check(oracle, images, labels);
    long before = oracle.meter().sent();
    Outcome[] outcomes = new Outcome[images.length];
    for (int i = 0; i < outcomes.length; i++) {
      outcomes[i] = unattacked(i, labels[i], Outcome.Status.NOT_ASKED);
    }
    String ended = "";
    try {
      int[] clean = Rounds.inBatches(oracle, images).labels();
      for (int i = 0; i < outcomes.length; i++) {
        outcomes[i] =
            unattacked(
                i,
                labels[i],
                clean[i] == labels[i] ? Outcome.Status.CUT_SHORT : Outcome.Status.WRONG_ANYWAY);
      }
      new Running(oracle, images, labels, clean, key, outcomes, progress).run();
    } catch (OracleException e) {
      ended = e.getMessage();
    }
    return new QueryResult(
        attack.name(),
        threat,
        budget,
        Arrays.asList(outcomes),
        oracle.meter().sent() - before,
        ended);
  }

  private static Outcome unattacked(int number, int label, Outcome.Status status) {
    return new Outcome(number, label, status, 0, null, -1, Double.POSITIVE_INFINITY, List.of());
  }

  private void check(Oracle oracle, float[][] images, int[] labels) {
    if (attack.needs() == Oracle.Reply.SCORES && oracle.reply() == Oracle.Reply.LABELS) {
      throw new IllegalArgumentException(
          attack.name() + " needs scores, but the oracle gives labels alone");
    }
    if (images.length != labels.length) {
      throw new IllegalArgumentException(images.length + " images, " + labels.length + " labels");
    }
    for (int i = 0; i < images.length; i++) {
      if (images[i].length != oracle.image().size()) {
        throw new IllegalArgumentException(
            "image %d has %d values; the oracle takes images of %s"
                .formatted(i, images[i].length, oracle.image()));
      }
      if (labels[i] < 0 || labels[i] >= oracle.classes()) {
        throw new IllegalArgumentException(
            "image %d is of class %d; the oracle tells %d apart"
                .formatted(i, labels[i], oracle.classes()));
      }
    }
  }

  /** One run: who is under attack, and who comes next. */
  private final class Running {
    private final Rounds rounds = new Rounds();
    private final MeteredOracle oracle;
    private final float[][] images;
    private final int[] labels;
    private final int[] clean;
    private final Key key;
    private final Outcome[] outcomes;
    private final Progress progress;
    private final List<Integer> queue = new ArrayList<>();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();
    private int next;

    Running(
        MeteredOracle oracle,
        float[][] images,
        int[] labels,
        int[] clean,
        Key key,
        Outcome[] outcomes,
        Progress progress) {
      this.oracle = oracle;
      this.images = images;
      this.labels = labels;
      this.clean = clean;
      this.key = key;
      this.outcomes = outcomes;
      this.progress = progress;
      for (int i = 0; i < images.length; i++) {
        if (clean[i] == labels[i]) {
          queue.add(i);
        }
      }
    }

    void run() {
      try {
        int alive = fill(0);
        while (alive > 0) {
          int waiting = rounds.await();
          if (failure.get() != null) {
            break;
          }
          if (waiting < alive && next < queue.size()) {
            alive = fill(waiting); // the places of those that left
            continue;
          }
          if (waiting > 0) {
            rounds.answer(oracle);
          }
          alive = waiting;
          progress.at(next - waiting, oracle.meter().sent());
        }
      } finally {
        rounds.end();
      }
      if (failure.get() instanceof RuntimeException e) {
        throw e;
      }
      if (failure.get() instanceof Error e) {
        throw e;
      }
    }

    /** Begins further attacks until enough are under way; how many are. */
    private int fill(int alive) {
      int now = alive;
      for (; now < together && next < queue.size(); now++) {
        int number = queue.get(next++);
        rounds.enter();
        Thread.ofVirtual().name("attack-" + number).start(() -> attack(number));
      }
      return now;
    }

    private void attack(int number) {
      Target target =
          new Target(
              rounds,
              number,
              new Target.Setting(oracle.image(), oracle.classes(), threat, budget),
              images[number],
              labels[number],
              strangers(number));
      Outcome.Status otherwise = Outcome.Status.SURVIVED;
      try {
        attack.attack(target, key.fold(number));
      } catch (Stop stop) {
        otherwise = stop == Stop.CUT_SHORT ? Outcome.Status.CUT_SHORT : otherwise;
      } catch (Throwable thrown) { // reaches the campaign's thread
        failure.compareAndSet(null, thrown);
      } finally {
        outcomes[number] = target.outcome(otherwise);
        rounds.leave();
      }
    }

    /** Some images that the oracle takes for another class, in an order of the image's own. */
    private List<float[]> strangers(int number) {
      int[] order = key.fold(number).fold(Integer.MAX_VALUE).permutation(images.length);
      return Arrays.stream(order)
          .filter(i -> clean[i] != labels[number])
          .limit(STRANGERS)
          .mapToObj(i -> images[i])
          .toList();
    }
  }
}
