package dev.vauban.cli.reproduce;

import dev.vauban.cli.config.DataSpec;
import dev.vauban.cli.config.Scale;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The table of learned fine-tuners (Zhao et al. 2020): trained on source A, on B and on both,
 * tested on A, on B and on a source that none was trained on. Settings are those of {@code vauban
 * lft train} and {@code vauban lft attack} by name.
 *
 * @param scale how much is spent
 * @param sources A, B and the unseen one
 */
public record UniversalTable(Scale scale, List<DataSpec> sources) {
  /** What users write. */
  public static final String NAME = "lft-universal";

  /** The sources unless told otherwise. */
  public static final List<DataSpec> SOURCES =
      List.of(
          DataSpec.parse("mnist:data/mnist"),
          DataSpec.parse("cifarfs:data/cifar-fs"),
          DataSpec.parse("fashion:data/fashion-mnist"));

  /** Lines that claims are about. */
  static final String LFT_A = "LFT on A";

  static final String LFT_B = "LFT on B";
  static final String LFT_BOTH = "LFT on A and B";
  static final String L2O_BOTH = "L2O on A and B";
  static final String LFT_ZO = "LFT on A, estimated gradients";

  /** Checks that there are three. */
  public UniversalTable {
    if (sources.size() != 3) {
      throw new IllegalArgumentException(
          NAME
              + " takes three sources: two to train on and an unseen one, e.g."
              + " mnist:DIR,cifarfs:DIR,fashion:DIR");
    }
    sources = List.copyOf(sources);
  }

  /**
   * A tuner to train.
   *
   * @param label its name in the table
   * @param trainedOn indices of its sources
   * @param testedOn indices of the sources to test it on
   * @param rivals whether its tests also test its rivals
   * @param training settings of its own for {@code lft train}
   * @param testing settings of its own for {@code lft attack}
   */
  record Line(
      String label,
      List<Integer> trainedOn,
      List<Integer> testedOn,
      Rivals rivals,
      Map<String, String> training,
      Map<String, String> testing) {
    enum Rivals {
      WITH,
      WITHOUT
    }
  }

  List<Line> lines() {
    List<Integer> all = List.of(0, 1, 2);
    return List.of(
        line(LFT_BOTH, List.of(0, 1), all, Line.Rivals.WITH, Map.of()),
        line(LFT_A, List.of(0), all, Line.Rivals.WITHOUT, Map.of()),
        line(LFT_B, List.of(1), all, Line.Rivals.WITHOUT, Map.of()),
        line(L2O_BOTH, List.of(0, 1), all, Line.Rivals.WITHOUT, Map.of("judged", "tuned-on")),
        new Line(
            LFT_ZO,
            List.of(0),
            List.of(0),
            Line.Rivals.WITH,
            with(
                training(),
                scale == Scale.SMALL
                    ? Map.of("gradients", "estimated", "iterations", "60", "tasks", "4")
                    : Map.of("gradients", "estimated", "iterations", "2000")),
            scale == Scale.SMALL
                ? Map.of("tasks", "16", "steps", "50", "choice-tasks", "8", "maml-iterations", "0")
                : testing()));
  }

  private Line line(
      String label,
      List<Integer> trainedOn,
      List<Integer> testedOn,
      Line.Rivals rivals,
      Map<String, String> own) {
    return new Line(label, trainedOn, testedOn, rivals, with(training(), own), testing());
  }

  /** Longer steps, all of which count: a tuner for few steps (measured in docs/tuning.md). */
  private Map<String, String> training() {
    Map<String, String> length =
        scale == Scale.SMALL
            ? Map.of("iterations", "90", "tasks", "6", "segments", "2")
            : Map.of("iterations", "1000", "tasks", "16");
    return with(length, Map.of("scale", "0.3", "weighting", "uniform"));
  }

  private Map<String, String> testing() {
    return scale == Scale.SMALL
        ? Map.of("tasks", "50", "choice-tasks", "16", "maml-iterations", "40")
        : Map.of("tasks", "100", "choice-tasks", "64", "maml-iterations", "500");
  }

  private static Map<String, String> with(Map<String, String> first, Map<String, String> more) {
    Map<String, String> all = new LinkedHashMap<>(first);
    all.putAll(more);
    return all;
  }

  /** The source as the commands take it. */
  String data(List<Integer> which) {
    return String.join(",", which.stream().map(i -> sources.get(i).toString()).toList());
  }

  /**
   * The budgets: strokes and digits need more than photos, where a large one makes any saturated
   * pattern fool the victim and the comparison idle.
   */
  String eps(List<Integer> which) {
    return String.join(",", which.stream().map(i -> eps(sources.get(i))).toList());
  }

  private static String eps(DataSpec source) {
    return switch (source.kind()) {
      case MNIST, OMNIGLOT -> "0.15";
      case FASHION, GLYPHS -> "0.1";
      case CIFARFS, FOLDER -> "8/255";
    };
  }

  /** What a source is called in the table. */
  String name(int source) {
    return switch (source) {
      case 0 -> "A";
      case 1 -> "B";
      default -> "unseen";
    };
  }
}
