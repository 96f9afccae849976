package dev.vauban.cli.tuning;

import dev.vauban.adversarial.UniversalPerturbation;
import dev.vauban.cli.config.DataSpec;
import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.job.Session;
import dev.vauban.cli.job.UniversalTasks;
import dev.vauban.cli.training.KeptClassifier;
import dev.vauban.meta.tuning.UniversalAttack;
import dev.vauban.nn.Model;
import dev.vauban.nn.data.DataOptions;
import dev.vauban.nn.data.DataSets;
import dev.vauban.nn.data.EpisodeSampler;
import dev.vauban.nn.data.FewShotData;
import dev.vauban.nn.data.GlyphCounts;
import dev.vauban.nn.data.ImageSet;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Scope;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * An image source with a victim of its own. Of each class, the first images (seven of ten) train
 * the victim and make the tasks that tuners are trained on; the others make those that tuners are
 * tested on. Tasks hold only images that the victim classifies correctly, so that every success is
 * a perturbation's.
 */
final class AttackSource implements AutoCloseable {
  /** Of each class at most; sources of thousands of images a class count like CIFAR-FS. */
  private static final int MOST_IMAGES = 600;

  private static final double TRAINING_SHARE = 0.7;

  private final String name;
  private final UniversalTasks tasks;
  private final UniversalTasks.Source source;
  private final FewShotData data;
  private final String dataHash;
  private final KeptClassifier victim;
  private final ImageSet training;
  private final ImageSet test;

  private AttackSource(
      String name,
      UniversalTasks tasks,
      UniversalTasks.Source source,
      FewShotData data,
      Scope scope,
      Device device,
      Session session) {
    this.name = name;
    this.tasks = tasks;
    this.source = source;
    this.data = data;
    int count = tasks.classes() == 0 ? source.defaultClasses() : tasks.classes();
    if (data.all().classCount() < count) {
      throw CommandException.badInput(
          "%s has %d classes, not the %d that its victim is to tell apart; use fewer --classes"
              .formatted(source.data(), data.all().classCount(), count));
    }
    ImageSet classes = data.all().select(IntStream.range(0, count).toArray());
    ImageSet first = part(classes, 0, TRAINING_SHARE);
    ImageSet rest = part(classes, TRAINING_SHARE, 1);
    this.dataHash = part(classes, 0, 1).contentHash();
    Model model = KeptClassifier.model("--victim", tasks.victim(), classes);
    this.victim =
        KeptClassifier.of(
            scope,
            device,
            file(model, classes),
            new KeptClassifier.Recipe(
                "vauban-victim",
                model,
                tasks.victimSteps(),
                Long.toString(tasks.victimSeed()),
                Purpose.VICTIM.key(tasks.victimSeed())),
            "the victim of " + name,
            classes,
            first,
            rest,
            session);
    this.training = correct(device, first, "training");
    this.test = correct(device, rest, "test");
  }

  private Path file(Model model, ImageSet classes) {
    return tasks
        .victims()
        .resolve(
            "%s-%s-%dc-%d-s%d.safetensors"
                .formatted(
                    name,
                    model.name(),
                    classes.classCount(),
                    tasks.victimSteps(),
                    tasks.victimSeed()));
  }

  /**
   * Opens all sources of some tasks, with names that differ.
   *
   * @param scope owns the victims
   */
  static List<AttackSource> open(
      UniversalTasks tasks, Scope scope, Device device, Session session) {
    List<AttackSource> all = new ArrayList<>();
    Map<String, Integer> seen = new HashMap<>();
    try {
      for (UniversalTasks.Source source : tasks.sources()) {
        String label =
            source.data().toString().startsWith("glyphs:")
                ? "glyphs-" + source.data().seed()
                : source.data().kind().label();
        int number = seen.merge(label, 1, Integer::sum);
        String name = number == 1 ? label : label + "-" + number;
        FewShotData data = read(source, tasks, session);
        try {
          all.add(new AttackSource(name, tasks, source, data, scope, device, session));
        } catch (RuntimeException | Error e) {
          data.close();
          throw e;
        }
        session.interrupt().check("the victims that were trained are kept");
      }
      return all;
    } catch (RuntimeException | Error e) {
      all.forEach(AttackSource::close);
      throw e;
    }
  }

  private static FewShotData read(
      UniversalTasks.Source source, UniversalTasks tasks, Session session) {
    if (source.data().kind() == DataSpec.Kind.GLYPHS) {
      int count = tasks.classes() == 0 ? source.defaultClasses() : tasks.classes();
      return DataSets.open(
          source.data().toString(),
          DataOptions.DEFAULT.withGlyphs(
              new GlyphCounts(count, 1, 1, GlyphCounts.DEFAULT.images())));
    }
    session.console().notice("reading " + source.data());
    return DataSets.open(source.data().toString());
  }

  /** The images of each class from one share of the first {@link #MOST_IMAGES} to another. */
  private static ImageSet part(ImageSet set, double from, double to) {
    boolean[] kept = new boolean[set.blockShape().dim(0)];
    for (int c = 0; c < set.classCount(); c++) {
      int count = Math.min(MOST_IMAGES, set.imageCount(c));
      for (int i = (int) Math.round(from * count); i < (int) Math.round(to * count); i++) {
        kept[set.imageOf(c, i)] = true;
      }
    }
    return set.where(i -> kept[i]);
  }

  private ImageSet correct(Device device, ImageSet images, String which) {
    int least = tasks.shots() + tasks.unseen();
    ImageSet right = victim.classifier().correct(device, images, least);
    if (right.classCount() < tasks.ways()) {
      throw CommandException.badInput(
          ("%s: only %d classes have %d %s images that the victim classifies correctly, and a task"
                  + " has %d; use fewer --ways, --shots or --unseen, or a victim of more"
                  + " --victim-steps")
              .formatted(source.data(), right.classCount(), least, which, tasks.ways()));
    }
    return right;
  }

  String name() {
    return name;
  }

  UniversalTasks.Source source() {
    return source;
  }

  /** SHA-256 of the images that victim and tasks are made of. */
  String dataHash() {
    return dataHash;
  }

  KeptClassifier victim() {
    return victim;
  }

  /** Tasks of images that tuners may learn from. */
  UniversalAttack training(Key key) {
    return attack(training, tasks.ways(), tasks.shots(), tasks.unseen(), key);
  }

  /** Tasks of images that tuners are tested on. */
  UniversalAttack test(Key key) {
    return attack(test, tasks.ways(), tasks.shots(), tasks.unseen(), key);
  }

  /** One task of all classes and as many training images as there are, up to so many a class. */
  UniversalAttack many(int imagesPerClass, Key key) {
    int each = Math.min(imagesPerClass, training.leastImages() - 1);
    return attack(training, training.classCount(), each, 1, key);
  }

  /** Up to so many training images of each class, [H,W,C] in [0,1]. */
  List<float[]> trainingImages(int perClass) {
    List<float[]> images = new ArrayList<>();
    for (int c = 0; c < training.classCount(); c++) {
      for (int i = 0; i < Math.min(perClass, training.imageCount(c)); i++) {
        images.add(pixels(training, training.imageOf(c, i)));
      }
    }
    return images;
  }

  /** The image at a position of the block, in [0,1]. */
  static float[] pixels(ImageSet set, int at) {
    float[] pixels = new float[set.height() * set.width() * set.channels()];
    for (int i = 0; i < pixels.length; i++) {
      pixels[i] = (set.image(at).get(ValueLayout.JAVA_BYTE, i) & 0xff) / 255f;
    }
    return pixels;
  }

  private UniversalAttack attack(ImageSet set, int ways, int shots, int unseen, Key key) {
    return new UniversalAttack(
        name,
        victim.classifier(),
        new EpisodeSampler(set, ways, shots, unseen, key),
        new UniversalPerturbation(source.eps(), tasks.kappa(), tasks.penalty()));
  }

  @Override
  public void close() {
    data.close();
  }
}
