package dev.vauban.cli.work;

import dev.vauban.cli.config.DataSpec;
import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.job.Episodes;
import dev.vauban.cli.job.Evaluation;
import dev.vauban.cli.job.Session;
import dev.vauban.nn.data.DataException;
import dev.vauban.nn.data.DataOptions;
import dev.vauban.nn.data.DataSets;
import dev.vauban.nn.data.EpisodeSampler;
import dev.vauban.nn.data.FewShotData;
import dev.vauban.nn.data.ImageSet;
import dev.vauban.nn.data.OmniglotSplit;
import dev.vauban.nn.data.Rotations;
import dev.vauban.nn.data.SplitKind;
import dev.vauban.tensor.Key;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Which classes of a data set serve what: training, validation while training (which chooses the
 * best checkpoint), and evaluation. No class serves two of them.
 *
 * <p>Where a copy of the data has no validation classes to spare (Omniglot by alphabets; CIFAR-FS
 * without its test classes, evaluated on its validation classes), an eighth of the training classes
 * is held out for validation, and training does without it. Data whose splits share all classes
 * (MNIST) keep images apart instead.
 *
 * @param data the data set
 * @param training classes to train on
 * @param validation classes to validate on, if any
 */
record DataRoles(FewShotData data, ImageSet training, Optional<ImageSet> validation)
    implements AutoCloseable {

  /** Whether a run validates. */
  enum Use {
    /** Validation classes are needed. */
    VALIDATED,
    /** All training classes train. */
    UNVALIDATED
  }

  /** Reads a data set, saying so. */
  static FewShotData open(Episodes episodes, Session session) {
    DataSpec spec = episodes.data();
    if (spec.kind() != DataSpec.Kind.GLYPHS) {
      session.console().notice("reading " + spec);
    }
    DataOptions options =
        DataOptions.DEFAULT
            .withOmniglotSplit(OmniglotSplit.valueOf(episodes.split().name()))
            .withRotations(Rotations.valueOf(episodes.rotations().name()));
    return DataSets.open(spec.toString(), options);
  }

  /** Reads a data set and divides its classes. */
  static DataRoles open(Episodes episodes, Use use, Session session) {
    FewShotData data = open(episodes, session);
    try {
      return divide(data, use, session);
    } catch (RuntimeException e) {
      data.close();
      throw e;
    }
  }

  private static DataRoles divide(FewShotData data, Use use, Session session) {
    if (use == Use.UNVALIDATED) {
      return new DataRoles(data, data.train(), Optional.empty());
    }
    boolean spare = data.validation().classCount() > 0 && data.test().classCount() > 0;
    if (spare) {
      return new DataRoles(data, data.train(), Optional.of(data.validation()));
    }
    return heldOut(data, session);
  }

  /** Holds out the last eighth of the training classes, turned ones together with upright ones. */
  private static DataRoles heldOut(FewShotData data, Session session) {
    ImageSet train = data.train();
    Set<String> bases = new LinkedHashSet<>();
    train.classNames().forEach(name -> bases.add(base(name)));
    List<String> order = List.copyOf(bases);
    Set<String> kept = Set.copyOf(order.subList(0, order.size() - order.size() / 8));
    List<String> training = new ArrayList<>();
    List<String> validation = new ArrayList<>();
    for (String name : train.classNames()) {
      (kept.contains(base(name)) ? training : validation).add(name);
    }
    session
        .console()
        .notice(
            "validation: %d of the %d training classes are held out; %s has no others to spare"
                .formatted(validation.size(), train.classCount(), data.name()));
    return new DataRoles(data, train.select(training), Optional.of(train.select(validation)));
  }

  private static String base(String name) {
    int at = name.indexOf('@');
    return at < 0 ? name : name.substring(0, at);
  }

  /** What {@link FewShotData#evaluation} holds, seen from the training, in words. */
  static String evaluatedOn(FewShotData data) {
    if (data.kind() == SplitKind.BY_IMAGE) {
      return "unseen images of the training classes";
    }
    return data.test().classCount() > 0
        ? Evaluation.Row.UNSEEN_CLASSES
        : "validation classes (this copy of " + data.name() + " has no test classes)";
  }

  /**
   * Episodes of a split.
   *
   * @param split which, in words
   * @param otherwise what else than fewer ways, shots or queries would help, in words
   * @throws CommandException exit 2, if the split has too few classes, or a class too few images
   */
  static EpisodeSampler sampler(
      ImageSet set, String split, String otherwise, Episodes episodes, Key key) {
    if (episodes.ways() > set.classCount()) {
      throw CommandException.badInput(
          "%d ways were asked for, but the %s split of %s has only %d %s; use fewer --ways%s"
              .formatted(
                  episodes.ways(),
                  split,
                  set.name(),
                  set.classCount(),
                  set.classCount() == 1 ? "class" : "classes",
                  otherwise));
    }
    try {
      return new EpisodeSampler(set, episodes.ways(), episodes.shots(), episodes.queries(), key);
    } catch (DataException e) {
      throw CommandException.badInput(
          e.getMessage()
              + ", a class of the "
              + split
              + " split; use fewer --shots or --queries"
              + otherwise,
          e);
    }
  }

  @Override
  public void close() {
    data.close();
  }
}
