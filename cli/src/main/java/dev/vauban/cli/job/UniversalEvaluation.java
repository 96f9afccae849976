package dev.vauban.cli.job;

import com.fasterxml.jackson.annotation.JsonIgnore;
import java.util.List;

/**
 * Tuners of universal perturbations on the test tasks of one image source.
 *
 * @param source its name
 * @param data where its images are
 * @param eps bound of each pixel's change
 * @param victimAccuracy of the victim on images that it was not trained on, 0..1
 * @param tasks how many
 * @param images that a tuner sees in each
 * @param gradients what the tuners see of the loss
 * @param rows one per tuner
 * @param perturbations for the report
 */
public record UniversalEvaluation(
    String source,
    String data,
    double eps,
    double victimAccuracy,
    int tasks,
    int images,
    String gradients,
    List<Row> rows,
    @JsonIgnore List<Perturbation> perturbations) {
  /** What was written down has no images. */
  public UniversalEvaluation {
    rows = List.copyOf(rows);
    perturbations = perturbations == null ? List.of() : List.copyOf(perturbations);
  }

  /** What a row stands for. */
  public enum Kind {
    /** A tuner that was meta-trained. */
    LEARNED,
    /** An optimiser somebody designed, at rates chosen on training tasks. */
    DESIGNED,
    /** A perturbation that was made of other images. */
    TRANSFERRED,
    /** A pattern that no image and no victim has a part in. */
    CONTROL
  }

  /**
   * A tuner.
   *
   * @param tuner its name
   * @param kind what it is
   * @param note what to know of it; empty for nothing
   * @param points its figures, by rising steps
   */
  public record Row(String tuner, Kind kind, String note, List<Point> points) {
    /** The figures after so many steps; the last before, where there are none. */
    public Point at(int steps) {
      Point last = points.getFirst();
      for (Point p : points) {
        last = p.steps() <= steps ? p : last;
      }
      return last;
    }
  }

  /**
   * A tuner after some steps: means over the tasks, with half-widths of 95% confidence intervals.
   *
   * @param steps how many
   * @param rate the chosen rate; null for a tuner without one
   * @param unseen share of the unseen images that are misclassified, 0..1
   * @param unseenCi half-width
   * @param seen the same of the images tuned on
   * @param seenCi half-width
   * @param l1 norm of the perturbation
   * @param l2 norm of the perturbation
   * @param linf norm of the perturbation
   * @param meanAbsolute mean absolute change of a pixel
   * @param queries images that the victim has answered for one task: for estimates, or else for
   *     gradients
   */
  public record Point(
      int steps,
      Double rate,
      double unseen,
      double unseenCi,
      double seen,
      double seenCi,
      double l1,
      double l2,
      double linf,
      double meanAbsolute,
      long queries) {}

  /**
   * A perturbation on an unseen image.
   *
   * @param tuner whose
   * @param height in pixels
   * @param width in pixels
   * @param channels 1 or 3
   * @param delta the perturbation
   * @param image in [0,1]
   * @param label its class
   * @param clean the victim's answer to the image
   * @param attacked the victim's answer to the perturbed image
   */
  public record Perturbation(
      String tuner,
      int height,
      int width,
      int channels,
      float[] delta,
      float[] image,
      int label,
      int clean,
      int attacked) {}
}
