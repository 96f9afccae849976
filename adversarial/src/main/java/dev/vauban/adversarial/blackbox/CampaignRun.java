package dev.vauban.adversarial.blackbox;

import dev.vauban.adversarial.blackbox.Rounds.Stop;
import dev.vauban.tensor.Key;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/** One run of a campaign: what came of each image, who is under attack, and who comes next. */
final class CampaignRun {
  private static final int STRANGERS = 10;

  private final Campaign campaign;
  final MeteredOracle oracle;
  final float[][] images;
  final int[] labels;
  final Key key;
  private final Campaign.Progress progress;
  private final long before;
  private final Outcome[] outcomes;
  private final AtomicReference<Throwable> failure = new AtomicReference<>();
  private int[] clean;
  private int done;

  CampaignRun(
      Campaign campaign,
      MeteredOracle oracle,
      float[][] images,
      int[] labels,
      Key key,
      Campaign.Progress progress) {
    this.campaign = campaign;
    this.oracle = oracle;
    this.images = images;
    this.labels = labels;
    this.key = key;
    this.progress = progress;
    this.before = oracle.meter().sent();
    this.outcomes = new Outcome[images.length];
    for (int i = 0; i < outcomes.length; i++) {
      outcomes[i] = unfooled(i, Outcome.Status.NOT_ASKED, 0);
    }
  }

  /** Does the work; what is there when the oracle fails, or when the work ends, is the result. */
  QueryResult result(String name, Runnable work) {
    String ended = "";
    try {
      work.run();
    } catch (OracleException e) {
      ended = e.getMessage();
    }
    return new QueryResult(
        name,
        campaign.threat(),
        campaign.budget(),
        Arrays.asList(outcomes),
        oracle.meter().sent() - before,
        ended);
  }

  /** Asks which images are answered rightly: one query each, of no image's budget. */
  Answers askClean() {
    Answers answers = Rounds.inBatches(oracle, images);
    clean = answers.labels();
    for (int i = 0; i < outcomes.length; i++) {
      outcomes[i] =
          unfooled(
              i, clean[i] == labels[i] ? Outcome.Status.CUT_SHORT : Outcome.Status.WRONG_ANYWAY, 0);
    }
    return answers;
  }

  /** What an image has come to that nothing has fooled yet. */
  Outcome unfooled(int number, Outcome.Status status, int queries) {
    return new Outcome(
        number, labels[number], status, queries, null, -1, Double.POSITIVE_INFINITY, List.of());
  }

  /** The images that are answered rightly and not attacked yet. */
  List<Integer> standing() {
    return IntStream.range(0, outcomes.length)
        .filter(i -> outcomes[i].status() == Outcome.Status.CUT_SHORT)
        .boxed()
        .toList();
  }

  /** Notes what came of an image without an attack's program. */
  void note(Outcome outcome) {
    outcomes[outcome.number()] = outcome;
    done += outcome.status() == Outcome.Status.SUCCESS ? 1 : 0;
  }

  /** Tells the progress after a call that no attack's program made. */
  void told() {
    progress.at(done, oracle.meter().sent());
  }

  /** Attacks these images, in their order, to the end. */
  void attack(List<Integer> queue, IntFunction<Opening> openings) {
    new Crowd(queue, openings).run();
    done += queue.size();
    if (failure.get() instanceof RuntimeException e) {
      throw e;
    }
    if (failure.get() instanceof Error e) {
      throw e;
    }
  }

  /** Images under attack at the same time, and those that wait for a place. */
  private final class Crowd {
    private final Rounds rounds = new Rounds();
    private final List<Integer> queue;
    private final IntFunction<Opening> openings;
    private int next;

    Crowd(List<Integer> queue, IntFunction<Opening> openings) {
      this.queue = queue;
      this.openings = openings;
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
          progress.at(done + next - waiting, oracle.meter().sent());
        }
      } finally {
        rounds.end();
      }
    }

    /** Begins further attacks until enough are under way; how many are. */
    private int fill(int alive) {
      int now = alive;
      for (; now < campaign.together() && next < queue.size(); now++) {
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
              new Target.Setting(
                  oracle.image(), oracle.classes(), campaign.threat(), campaign.budget()),
              images[number],
              labels[number],
              strangers(number),
              openings.apply(number));
      Outcome.Status otherwise = Outcome.Status.SURVIVED;
      try {
        campaign.attack().attack(target, key.fold(number));
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
