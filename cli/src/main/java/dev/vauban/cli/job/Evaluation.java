package dev.vauban.cli.job;

import com.fasterxml.jackson.annotation.JsonIgnore;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;

/**
 * Accuracies of one or more models under one attack. As JSON this is the answer of {@code eval} and
 * {@code quickstart}.
 *
 * @param eps the budget; with several budgets the first, and each row has its own
 * @param attack the attack's name
 * @param rows one per model, number of fine-tune steps and budget
 * @param dimensions of features, if they were asked for
 * @param linear evaluations of frozen encoders, if they were asked for
 * @param figures what only the report shows
 */
public record Evaluation(
    double eps,
    String attack,
    List<Row> rows,
    List<Dimension> dimensions,
    List<Linear> linear,
    @JsonIgnore Figures figures) {
  /** What earlier versions wrote has accuracies alone. */
  public Evaluation {
    dimensions = dimensions == null ? List.of() : List.copyOf(dimensions);
    linear = linear == null ? List.of() : List.copyOf(linear);
  }

  /** An evaluation of accuracies alone. */
  public Evaluation(double eps, String attack, List<Row> rows, Figures figures) {
    this(eps, attack, rows, List.of(), List.of(), figures);
  }

  /**
   * A linear classifier of one model's frozen features, trained against the training attack.
   *
   * @param method the meta-learner's name
   * @param classes how many
   * @param images how many were judged
   * @param clean accuracy, 0..1
   * @param robust accuracy under the evaluation's attack at its first budget
   * @param run the path of the run or of the weights
   */
  public record Linear(
      String method, int classes, int images, double clean, double robust, String run) {
    /** This as that of a model in a file or a run. */
    public Linear of(String path) {
      return new Linear(method, classes, images, clean, robust, path);
    }
  }

  /**
   * How many directions one model's features fill, at the meta-parameters, of query images before
   * and after the attack at the first budget (ITS-MAML's diagnostic).
   *
   * @param method the meta-learner's name
   * @param images how many
   * @param clean principal components that hold 90% of the variance of clean images' features
   * @param cleanRank their effective rank
   * @param attacked the same of the attacked images
   * @param attackedRank their effective rank
   * @param run the path of the run or of the weights
   */
  public record Dimension(
      String method,
      int images,
      int clean,
      double cleanRank,
      int attacked,
      double attackedRank,
      String run) {
    /** This as that of a model in a file or a run. */
    public Dimension of(String path) {
      return new Dimension(method, images, clean, cleanRank, attacked, attackedRank, path);
    }
  }

  /**
   * One model's accuracy over episodes. Accuracies and half-widths of 95% confidence intervals are
   * fractions in 0..1.
   *
   * @param method the meta-learner's name
   * @param eps the budget of the robust accuracy
   * @param steps fine-tune steps
   * @param episodes how many
   * @param clean accuracy on unperturbed queries
   * @param cleanCi its half-width
   * @param robust accuracy on attacked queries
   * @param robustCi its half-width
   * @param seconds wall time: training and evaluation in quickstart, evaluation in eval
   * @param run the path of the run or of the weights; null for a model that was never saved
   * @param on what the episodes are made of, for example {@link #UNSEEN_CLASSES}; null in
   *     evaluations recorded by earlier versions
   * @param support {@code attacked} if fine-tuning saw attacked support images, else null
   */
  public record Row(
      String method,
      double eps,
      int steps,
      int episodes,
      double clean,
      double cleanCi,
      double robust,
      double robustCi,
      double seconds,
      String run,
      String on,
      String support) {
    /** Classes that served neither training nor validation. */
    public static final String UNSEEN_CLASSES = "unseen classes";

    /** A row of a model that was never saved, on unseen classes. */
    public Row(
        String method,
        double eps,
        int steps,
        int episodes,
        double clean,
        double cleanCi,
        double robust,
        double robustCi,
        double seconds) {
      this(
          method,
          eps,
          steps,
          episodes,
          clean,
          cleanCi,
          robust,
          robustCi,
          seconds,
          null,
          UNSEEN_CLASSES,
          null);
    }

    /** Which model this is about. */
    public ModelName model() {
      return new ModelName(method, run);
    }

    /** This row as that of a model in a file or a run. */
    public Row of(String path) {
      return new Row(
          method, eps, steps, episodes, clean, cleanCi, robust, robustCi, seconds, path, on,
          support);
    }

    /** This row with {@code more} seconds, those of the training before it. */
    public Row plusSeconds(double more) {
      return new Row(
          method,
          eps,
          steps,
          episodes,
          clean,
          cleanCi,
          robust,
          robustCi,
          seconds + more,
          run,
          on,
          support);
    }
  }

  /**
   * What only the report shows.
   *
   * @param sweep rows at further budgets, for the curve of accuracy over eps
   * @param histories validation during training
   * @param examples attacked images
   * @param neurons inverted features
   */
  public record Figures(
      List<Row> sweep, List<History> histories, List<Example> examples, List<Neuron> neurons) {
    /** No figures. */
    public static final Figures NONE = new Figures(List.of(), List.of(), List.of());

    /** Figures without neurons. */
    public Figures(List<Row> sweep, List<History> histories, List<Example> examples) {
      this(sweep, histories, examples, List.of());
    }
  }

  /**
   * An input that maximises a feature: what a neuron looks for.
   *
   * @param model the meta-learner's name
   * @param neuron which feature
   * @param height in pixels
   * @param width in pixels
   * @param channels 1 or 3
   * @param image pixels in [0,1]
   * @param change |image - seed|, in [0,1]
   * @param lowShare the share of the change's energy at low frequencies, 0..1
   */
  public record Neuron(
      String model,
      int neuron,
      int height,
      int width,
      int channels,
      float[] image,
      float[] change,
      double lowShare) {}

  /**
   * How one model's accuracy grew in training.
   *
   * @param method the meta-learner's name
   * @param points in the order of the steps
   */
  public record History(String method, List<Point> points) {
    /**
     * One validation.
     *
     * @param step meta-steps done
     * @param clean accuracy, 0..1
     * @param robust accuracy under attack, 0..1
     */
    public record Point(long step, double clean, double robust) {}
  }

  /** This evaluation as that of a model in a file or a run. */
  public Evaluation of(String path) {
    return new Evaluation(
        eps,
        attack,
        rows.stream().map(row -> row.of(path)).toList(),
        dimensions.stream().map(d -> d.of(path)).toList(),
        linear.stream().map(l -> l.of(path)).toList(),
        figures);
  }

  /**
   * What the rows were measured on, in words: {@code 600 episodes of unseen classes}.
   *
   * @param rows the rows of a table
   */
  public static String basis(List<Row> rows) {
    String number =
        rows.stream()
            .map(Row::episodes)
            .distinct()
            .sorted()
            .map(String::valueOf)
            .collect(Collectors.joining(" or "));
    List<String> on = rows.stream().map(Row::on).filter(Objects::nonNull).distinct().toList();
    return number + " episodes" + (on.isEmpty() ? "" : " of " + String.join(" and of ", on));
  }

  /** An evaluation without figures. */
  public Evaluation(double eps, String attack, List<Row> rows) {
    this(eps, attack, rows, Figures.NONE);
  }
}
