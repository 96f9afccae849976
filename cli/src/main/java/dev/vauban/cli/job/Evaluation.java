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
 * @param figures what only the report shows
 */
public record Evaluation(double eps, String attack, List<Row> rows, @JsonIgnore Figures figures) {

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
      String on) {
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
          UNSEEN_CLASSES);
    }

    /** Which model this is about. */
    public ModelName model() {
      return new ModelName(method, run);
    }

    /** This row as that of a model in a file or a run. */
    public Row of(String path) {
      return new Row(
          method, eps, steps, episodes, clean, cleanCi, robust, robustCi, seconds, path, on);
    }

    /** This row with {@code more} seconds, those of the training before it. */
    public Row plusSeconds(double more) {
      return new Row(
          method, eps, steps, episodes, clean, cleanCi, robust, robustCi, seconds + more, run, on);
    }
  }

  /**
   * What only the report shows.
   *
   * @param sweep rows at further budgets, for the curve of accuracy over eps
   * @param histories validation during training
   * @param examples attacked images
   */
  public record Figures(List<Row> sweep, List<History> histories, List<Example> examples) {
    /** No figures. */
    public static final Figures NONE = new Figures(List.of(), List.of(), List.of());
  }

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
    return new Evaluation(eps, attack, rows.stream().map(row -> row.of(path)).toList(), figures);
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
