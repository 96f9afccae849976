package dev.vauban.cli.generator;

import dev.vauban.cli.Version;
import dev.vauban.cli.config.DataSpec;
import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.job.GeneratorJobs;
import dev.vauban.cli.job.GeneratorResult;
import dev.vauban.cli.job.GeneratorTraining;
import dev.vauban.cli.job.Session;
import dev.vauban.cli.run.Provenance;
import dev.vauban.cli.run.RunDirectory;
import dev.vauban.cli.training.Course;
import dev.vauban.meta.generator.Generator;
import dev.vauban.meta.generator.Surrogates;
import dev.vauban.nn.data.DataSets;
import dev.vauban.nn.data.FewShotData;
import dev.vauban.nn.data.SplitKind;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.ShapeException;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;

/** The work of {@code vauban mcg}, done by the learning modules. */
public final class LearnedGeneratorJobs implements GeneratorJobs {
  /** Makes the jobs; nothing is loaded or compiled yet. */
  public LearnedGeneratorJobs() {}

  @Override
  public GeneratorResult train(
      GeneratorTraining training, Supplier<RunDirectory> opening, Session session) {
    try (Device device = training.compute().open();
        FewShotData data = open(training.data(), session);
        Scope scope = Scope.open()) {
      Surrogates surrogates = Ensemble.networks(training, data);
      Generator generator = generator(training, surrogates);
      RunDirectory run = opening.get();
      Provenance provenance =
          new Provenance(
              Version.text(),
              training.seed(),
              training.data().toString(),
              data.train().contentHash(),
              device.description(),
              List.of());
      Course course =
          new Course("mcg train", training.steps(), run, training.pace(), provenance, session);
      Ensemble ensemble =
          Ensemble.of(
              surrogates,
              training,
              data,
              run.folder().resolve(GeneratorFile.SURROGATES),
              scope,
              device,
              session);
      try (GeneratorRun work =
          new GeneratorRun(device, training, data.train(), generator, ensemble)) {
        course.begin(work, provenance);
        course.run(work);
        return result(training, ensemble, course, work);
      }
    }
  }

  /** Images of all classes to learn from, with others of the same classes left to attack. */
  private static FewShotData open(DataSpec spec, Session session) {
    session.console().notice("reading " + spec);
    FewShotData data = DataSets.open(spec.toString());
    if (data.kind() != SplitKind.BY_IMAGE) {
      data.close();
      throw CommandException.badInput(
          ("--data %s: its splits share no classes, so no victim could be asked about the classes"
                  + " that a generator learned; use mnist:DIR or fashion:DIR")
              .formatted(spec));
    }
    return data;
  }

  private static Generator generator(GeneratorTraining training, Surrogates surrogates) {
    try {
      return new Generator(surrogates.image(), training.filters());
    } catch (ShapeException e) {
      throw CommandException.badInput("--data " + training.data() + ": " + e.getMessage(), e);
    }
  }

  private static GeneratorResult result(
      GeneratorTraining training, Ensemble ensemble, Course course, GeneratorRun work) {
    Path file = null;
    if (work.number() >= training.steps()) {
      file = course.folder().resolve(GeneratorFile.NAME);
      GeneratorFile.write(
          file, training, ensemble.surrogates(), work.number(), work.weights(), ensemble.weights());
    }
    return new GeneratorResult(
        course.folder().toString(),
        ensemble.members(),
        work.number(),
        course.last("fooled"),
        file == null ? null : file.toString(),
        course.clock().seconds(),
        course.clock().processorSeconds());
  }
}
