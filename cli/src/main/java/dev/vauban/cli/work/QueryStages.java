package dev.vauban.cli.work;

import dev.vauban.adversarial.blackbox.ModelOracle;
import dev.vauban.adversarial.blackbox.Oracle;
import dev.vauban.cli.config.Victim;
import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.job.QueryJob;
import dev.vauban.cli.job.QueryVictim;
import dev.vauban.cli.oracle.CommandOracle;
import dev.vauban.cli.oracle.Endpoint;
import dev.vauban.cli.oracle.HttpOracle;
import dev.vauban.cli.oracle.OracleProvider;
import dev.vauban.cli.run.RunDirectory;
import dev.vauban.meta.AdaptedVictim;
import dev.vauban.nn.BatchStatistics;
import dev.vauban.nn.Model;
import dev.vauban.nn.Models;
import dev.vauban.nn.Safetensors;
import dev.vauban.nn.data.Episode;
import dev.vauban.nn.data.EpisodeSampler;
import dev.vauban.nn.data.FewShotData;
import dev.vauban.nn.data.ImageSet;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;

/**
 * The oracles of a black-box job, each with the images to attack: one for each episode of an
 * adapted model, otherwise a single one.
 *
 * @param list at least one
 */
record QueryStages(List<Stage> list) implements AutoCloseable {
  /** Training images whose statistics a classifier's batch norms use. */
  private static final int REFERENCE_IMAGES = 500;

  /** An oracle, images [n][H*W*C] and their labels. */
  record Stage(Oracle oracle, float[][] images, int[] labels) {}

  static QueryStages of(QueryJob job, FewShotData data, Device device) {
    ImageSet set = data.evaluation();
    return switch (job.victim()) {
      case QueryVictim.OfVauban v when v.kind() == Victim.ADAPTED -> adapted(job, v, data, device);
      case QueryVictim.OfVauban v -> single(classifier(job, v.path(), data, device), job, set);
      case QueryVictim.InFile f -> single(inFile(f.path(), endpoint(job, set)), job, set);
      case QueryVictim.Service s ->
          single(new HttpOracle(s.address(), endpoint(job, set), s.headers()), job, set);
      case QueryVictim.Program p ->
          single(new CommandOracle(p.command(), endpoint(job, set)), job, set);
    };
  }

  private static Endpoint endpoint(QueryJob job, ImageSet set) {
    QueryJob.Outside outside = job.outside();
    return new Endpoint(
        shape(set),
        outside.classes() == null ? set.classCount() : outside.classes(),
        outside.reply(),
        outside.batch(),
        outside.timeout());
  }

  private static Shape shape(ImageSet set) {
    return Shape.of(set.height(), set.width(), set.channels());
  }

  /** As many episodes as it takes; of each the queries, one of every class in turn. */
  private static QueryStages adapted(
      QueryJob job, QueryVictim.OfVauban victim, FewShotData data, Device device) {
    ImageSet set = data.evaluation();
    Recipe recipe = Recipe.of(victim.learner(), set, job.episodes().ways());
    EpisodeSampler sampler =
        DataRoles.sampler(
            set,
            data.test().classCount() > 0 ? "test" : "validation",
            "",
            job.episodes(),
            Stream.EVALUATION_EPISODES.key(job.seed()));
    List<Stage> stages = new ArrayList<>();
    try (Scope scope = Scope.open()) {
      Tree<Tensor> theta = ModelFile.weights(ModelFile.of(victim.path()), recipe, scope);
      int left = job.images();
      for (int e = 0; left > 0; e++) {
        Oracle oracle =
            AdaptedVictim.of(
                device,
                recipe.method().evaluation(),
                recipe.model(),
                theta,
                sampler,
                e,
                job.steps(),
                Stream.QUERIES.key(job.seed()).fold(-1L - e),
                job.outside().batch());
        Episode episode = sampler.episode(e);
        int count = Math.min(left, episode.query().length);
        float[][] images = new float[count][];
        int[] labels = new int[count];
        for (int i = 0; i < count; i++) {
          labels[i] = i % episode.ways();
          int at = labels[i] * episode.queries() + i / episode.ways();
          images[i] = pixels(set, episode.query()[at]);
        }
        stages.add(new Stage(oracle, images, labels));
        left -= count;
      }
      return new QueryStages(List.copyOf(stages));
    } catch (RuntimeException e) {
      stages.forEach(stage -> stage.oracle.close());
      throw e;
    }
  }

  /** The first images of every class in turn. */
  private static QueryStages single(Oracle oracle, QueryJob job, ImageSet set) {
    List<float[]> images = new ArrayList<>();
    List<Integer> labels = new ArrayList<>();
    for (int i = 0; images.size() < job.images(); i++) {
      int before = images.size();
      for (int c = 0; c < set.classCount() && images.size() < job.images(); c++) {
        if (i < set.imageCount(c)) {
          images.add(pixels(set, set.imageOf(c, i)));
          labels.add(c);
        }
      }
      if (images.size() == before) {
        break; // that is all there is
      }
    }
    if (set.classCount() > oracle.classes()) {
      oracle.close();
      throw CommandException.badInput(
          "%s has %d classes, but the model tells %d apart"
              .formatted(set.name(), set.classCount(), oracle.classes()));
    }
    return new QueryStages(
        List.of(
            new Stage(
                oracle,
                images.toArray(float[][]::new),
                labels.stream().mapToInt(Integer::intValue).toArray())));
  }

  private static float[] pixels(ImageSet set, int index) {
    MemorySegment bytes = set.image(index);
    float[] image = new float[(int) bytes.byteSize()];
    for (int i = 0; i < image.length; i++) {
      image[i] = (bytes.get(ValueLayout.JAVA_BYTE, i) & 0xFF) / 255f;
    }
    return image;
  }

  /** A network with a head for all classes; its batch norms use statistics of training images. */
  private static Oracle classifier(QueryJob job, Path path, FewShotData data, Device device) {
    Path file = Files.isDirectory(path) ? RunDirectory.latest(path).orElseThrow().file() : path;
    ImageSet set = data.evaluation();
    try (Scope scope = Scope.open()) {
      Safetensors.File content = Safetensors.read(file, scope);
      String name = content.metadata().get(ModelFile.MODEL);
      if (name == null) {
        throw CommandException.badInput(
            file
                + ": its network is unknown; a classifier's file names it in its metadata, as"
                + " model: conv4-64");
      }
      Model model;
      try {
        model = Models.named(name, shape(set), set.classCount());
      } catch (IllegalArgumentException e) {
        throw CommandException.badInput(file + ": " + e.getMessage(), e);
      }
      Tree<Tensor> all = content.tensors();
      Tree<Tensor> weights = all.has("weights") ? all.sub("weights") : all;
      if (!weights.has("head")) {
        throw CommandException.badInput(
            file + " holds no classifier but a body alone; give --victim adapted, or an rfs run");
      }
      Tree<Tensor> fitted = Safetensors.fit(file.toString(), model.types(), weights);
      Tree<Tensor> state = Tree.<Tensor>empty().with("weights", fitted);
      if (!model.batchNorms().isEmpty()) {
        state = state.with("statistics", statistics(model, fitted, data.train(), device, scope));
      }
      return new ModelOracle(
          device,
          model.input(),
          set.classCount(),
          state,
          (w, x) ->
              w.has("statistics")
                  ? BatchStatistics.logits(model, w.sub("weights"), w.sub("statistics"), x)
                  : model.logits(w.sub("weights"), x),
          job.outside().batch());
    }
  }

  private static Tree<Tensor> statistics(
      Model model, Tree<Tensor> weights, ImageSet train, Device device, Scope scope) {
    int each = Math.max(1, REFERENCE_IMAGES / train.classCount());
    List<float[]> images = new ArrayList<>();
    for (int c = 0; c < train.classCount(); c++) {
      for (int i = 0; i < Math.min(each, train.imageCount(c)); i++) {
        images.add(pixels(train, train.imageOf(c, i)));
      }
    }
    Tensor x = scope.tensor(Type.f32(model.input().insert(0, images.size()).dims()));
    int size = images.get(0).length;
    for (int i = 0; i < images.size(); i++) {
      MemorySegment.copy(
          images.get(i), 0, x.segment(), ValueLayout.JAVA_FLOAT, 4L * i * size, size);
    }
    Tree<Tensor> inputs = Tree.<Tensor>empty().with("weights", weights).with("x", x);
    Program program =
        Program.trace(
            inputs.map(Tensor::type),
            in -> BatchStatistics.gather(model, in.sub("weights"), in.get("x")));
    try (Plan plan = device.compile(program)) {
      return plan.run(scope, inputs);
    }
  }

  private static Oracle inFile(Path file, Endpoint endpoint) {
    for (OracleProvider provider : ServiceLoader.load(OracleProvider.class)) {
      if (file.toString().endsWith(provider.ending())) {
        return provider.open(file, endpoint);
      }
    }
    throw CommandException.environment(
        file
            + ": nothing on the class path opens such models; for .onnx build with the profile onnx"
            + " (docs/black-box.md)",
        null);
  }

  @Override
  public void close() {
    list.forEach(stage -> stage.oracle.close());
  }
}
