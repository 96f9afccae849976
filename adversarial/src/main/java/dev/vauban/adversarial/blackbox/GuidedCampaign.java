package dev.vauban.adversarial.blackbox;

import dev.vauban.tensor.Key;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A campaign whose attack begins where a guide's candidates end: prior knowledge first, search
 * afterwards. Images come in groups. For each, the guide proposes candidates, learns what was
 * answered, and may propose better ones; every candidate is a query of the image's budget. Images
 * that none of them fools are attacked from the best.
 *
 * <p>An image's queries depend on the images before it, since the guide learns from them, but not
 * on the speed of any thread.
 *
 * @param guide who proposes; not closed
 * @param proposals candidates of each image, at least 1
 * @param campaign what follows: an attack that asks for scores
 */
public record GuidedCampaign(Guide guide, int proposals, Campaign campaign) {
  /** Checks that the attack can begin somewhere. */
  public GuidedCampaign {
    if (proposals < 1) {
      throw new IllegalArgumentException("a guide makes at least 1 proposal, not " + proposals);
    }
    if (campaign.attack().needs() != Oracle.Reply.SCORES || !(campaign.threat().eps() > 0)) {
      throw new IllegalArgumentException(
          "a guide helps attacks that ask for scores within an eps above 0, not %s at eps %s"
              .formatted(campaign.attack().name(), campaign.threat().eps()));
    }
  }

  /** The guide's name and the attack's. */
  public String name() {
    return guide.name() + "+" + campaign.attack().name();
  }

  /**
   * Attacks; arguments and result are those of {@link Campaign#run}. Images that the first proposal
   * fooled are those of {@code successRate(1)}.
   *
   * @throws IllegalArgumentException if images, labels and oracle do not fit one another
   */
  public QueryResult run(
      MeteredOracle oracle, float[][] images, int[] labels, Key key, Campaign.Progress progress) {
    campaign.check(oracle, images, labels);
    CampaignRun run = new CampaignRun(campaign, oracle, images, labels, key, progress);
    return run.result(
        name(),
        () -> {
          Answers clean = run.askClean();
          List<Integer> standing = run.standing();
          for (int from = 0; from < standing.size(); from += guide.together()) {
            int to = Math.min(standing.size(), from + guide.together());
            new Group(run, standing.subList(from, to)).run(clean);
          }
        });
  }

  /** Some images from their first proposal to the end of their attacks. */
  private final class Group {
    private final CampaignRun run;
    private final Map<Integer, Opening> openings = new HashMap<>();
    private List<Integer> standing;

    Group(CampaignRun run, List<Integer> numbers) {
      this.run = run;
      this.standing = numbers;
      numbers.forEach(number -> openings.put(number, Opening.NONE));
    }

    void run(Answers clean) {
      guide.learn(of(run.images), clean.of(numbers()));
      int rounds = Math.min(proposals, campaign.budget());
      for (int round = 0; round < rounds && !standing.isEmpty(); round++) {
        propose(round);
      }
      run.attack(standing, openings::get);
    }

    private int[] numbers() {
      return standing.stream().mapToInt(Integer::intValue).toArray();
    }

    private float[][] of(float[][] all) {
      return standing.stream().map(number -> all[number]).toArray(float[][]::new);
    }

    private void propose(int round) {
      int[] numbers = numbers();
      Key[] keys = standing.stream().map(n -> run.key.fold(n).fold(-1 - round)).toArray(Key[]::new);
      int[] classes = Arrays.stream(numbers).map(n -> run.labels[n]).toArray();
      float[][] candidates = guide.propose(of(run.images), classes, round, keys);
      List<Integer> asked = new ArrayList<>();
      for (int i = 0; i < numbers.length; i++) {
        float[] image = run.images[numbers[i]];
        candidates[i] = campaign.threat().within(image, Vectors.change(image, candidates[i]));
        // A guide that has nothing new to say repeats itself; the answer is known.
        if (!Arrays.equals(candidates[i], openings.get(numbers[i]).start())) {
          asked.add(i);
        }
      }
      for (int from = 0; from < asked.size(); from += run.oracle.largestBatch()) {
        int to = Math.min(asked.size(), from + run.oracle.largestBatch());
        ask(asked.subList(from, to), numbers, candidates);
      }
    }

    /** One call; what it found stands, whatever becomes of the next. */
    private void ask(List<Integer> places, int[] numbers, float[][] candidates) {
      float[][] images = places.stream().map(i -> candidates[i]).toArray(float[][]::new);
      Answers answers = run.oracle.ask(images);
      guide.learn(images, answers);
      for (int k = 0; k < images.length; k++) {
        int number = numbers[places.get(k)];
        int label = run.labels[number];
        Opening after = openings.get(number).after(images[k], answers.margin(k, label));
        openings.put(number, after);
        if (answers.labels()[k] == label) {
          run.note(run.unfooled(number, Outcome.Status.CUT_SHORT, after.asked()));
        } else {
          run.note(fooled(number, after.asked(), images[k], answers.labels()[k]));
          standing = standing.stream().filter(other -> other != number).toList();
        }
      }
      run.told();
    }

    private Outcome fooled(int number, int queries, float[] candidate, int answer) {
      double far = campaign.threat().metric().distance(candidate, run.images[number]);
      return new Outcome(
          number,
          run.labels[number],
          Outcome.Status.SUCCESS,
          queries,
          candidate,
          answer,
          far,
          List.of(new Outcome.Point(queries, far)));
    }
  }
}
