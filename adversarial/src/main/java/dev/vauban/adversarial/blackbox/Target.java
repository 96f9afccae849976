package dev.vauban.adversarial.blackbox;

import dev.vauban.adversarial.blackbox.Rounds.Stop;
import dev.vauban.tensor.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * One image under attack: what its attacker knows, and the only way to ask about it. Every image
 * asked counts against the image's budget; the nearest one that was answered wrongly is remembered.
 */
public final class Target {
  private static final float SLACK = 1e-6f;

  private final Rounds rounds;
  private final int number;
  private final Setting setting;
  private final float[] image;
  private final int label;
  private final List<float[]> strangers;
  private final Opening opening;
  private final List<Outcome.Point> trace = new ArrayList<>();
  private int asked;
  private int firstSuccess;
  private float[] nearest;
  private int nearestAnswer = -1;
  private double distance = Double.POSITIVE_INFINITY;

  /** What all images of a campaign have in common. */
  record Setting(Shape shape, int classes, Threat threat, int budget) {}

  Target(
      Rounds rounds,
      int number,
      Setting setting,
      float[] image,
      int label,
      List<float[]> strangers,
      Opening opening) {
    this.rounds = rounds;
    this.number = number;
    this.setting = setting;
    this.image = image;
    this.label = label;
    this.strangers = strangers;
    this.opening = opening;
    this.asked = opening.asked();
  }

  /** The image as it was, a copy. */
  public float[] image() {
    return image.clone();
  }

  /**
   * Where to begin, a copy: the best candidate of a {@link Guide}, or the image as it was. A
   * candidate's margin is known: asking {@link #margin} for it once more is no query.
   */
  public float[] start() {
    return guided() ? opening.start().clone() : image();
  }

  /** Whether a {@link Guide} says where to begin. */
  public boolean guided() {
    return opening.start() != null;
  }

  /** Its class. */
  public int label() {
    return label;
  }

  /** Its shape, [H,W,C]. */
  public Shape shape() {
    return setting.shape;
  }

  /** Number of its values. */
  public int size() {
    return image.length;
  }

  /** What counts as a success. */
  public Threat threat() {
    return setting.threat;
  }

  /** The most queries for this image. */
  public int budget() {
    return setting.budget;
  }

  /** Queries asked so far. */
  public int asked() {
    return asked;
  }

  /** Distance of the nearest wrongly answered image so far; infinite if there is none. */
  public double distance() {
    return distance;
  }

  /** The nearest wrongly answered image so far, a copy; null if there is none. */
  public float[] nearest() {
    return nearest == null ? null : nearest.clone();
  }

  /** Images that the oracle takes for another class, places to start from; perhaps none. */
  public List<float[]> strangers() {
    return strangers;
  }

  /** Whether the oracle's answer is wrong. One query. */
  public boolean fooled(float[] candidate) {
    return fooled(new float[][] {candidate})[0];
  }

  /** Whether the oracle's answers are wrong. One query each. */
  public boolean[] fooled(float[]... candidates) {
    Answers answers = ask(candidates);
    boolean[] wrong = new boolean[candidates.length];
    for (int i = 0; i < wrong.length; i++) {
      wrong[i] = answers.labels()[i] != label;
    }
    return wrong;
  }

  /**
   * The lead of the true class's score over the best other: what attacks lower. One query, unless
   * it is that of {@link #start}, which a guide has asked already.
   */
  public double margin(float[] candidate) {
    if (guided() && Arrays.equals(candidate, opening.start())) {
      return opening.margin();
    }
    return margins(new float[][] {candidate})[0];
  }

  /** The margins. One query each. */
  public double[] margins(float[]... candidates) {
    Answers answers = ask(candidates);
    double[] margins = new double[candidates.length];
    for (int i = 0; i < margins.length; i++) {
      margins[i] = answers.margin(i, label);
    }
    return margins;
  }

  /** Asks for as many as the budget allows, and ends the attack if that is the end of it. */
  private Answers ask(float[][] candidates) {
    int n = Math.min(candidates.length, setting.budget - asked);
    if (n == 0 && candidates.length > 0) {
      throw Stop.SPENT;
    }
    for (int i = 0; i < n; i++) {
      check(candidates[i]);
    }
    Answers answers =
        rounds.ask(number, n == candidates.length ? candidates : Arrays.copyOf(candidates, n));
    for (int i = 0; i < n; i++) {
      if (answers.labels()[i] != label) {
        remember(candidates[i], answers.labels()[i], asked + i + 1);
      }
    }
    asked += n;
    if (firstSuccess > 0) {
      throw Stop.SUCCESS;
    }
    if (n < candidates.length) {
      throw Stop.SPENT;
    }
    return answers;
  }

  private void check(float[] candidate) {
    if (candidate.length != image.length) {
      throw new IllegalArgumentException(
          "an image of " + setting.shape + " has not " + candidate.length + " values");
    }
    for (float value : candidate) {
      if (!(value >= -SLACK && value <= 1 + SLACK)) {
        throw new IllegalArgumentException("a pixel is " + value + ", outside [0,1]");
      }
    }
  }

  private void remember(float[] candidate, int answer, int query) {
    double far = setting.threat.metric().distance(candidate, image);
    if (far < distance) {
      distance = far;
      nearest = candidate.clone();
      nearestAnswer = answer;
      trace.add(new Outcome.Point(query, far));
    }
    if (firstSuccess == 0 && setting.threat.allows(far)) {
      firstSuccess = query;
    }
  }

  /** What came of the attack. */
  Outcome outcome(Outcome.Status otherwise) {
    boolean success = firstSuccess > 0;
    return new Outcome(
        number,
        label,
        success ? Outcome.Status.SUCCESS : otherwise,
        success ? firstSuccess : asked,
        nearest,
        nearestAnswer,
        distance,
        List.copyOf(trace));
  }
}
