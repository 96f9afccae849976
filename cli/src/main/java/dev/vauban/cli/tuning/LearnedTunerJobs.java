package dev.vauban.cli.tuning;

import dev.vauban.cli.job.GapMeasurement;
import dev.vauban.cli.job.GapTable;
import dev.vauban.cli.job.Session;
import dev.vauban.cli.job.TunerComparison;
import dev.vauban.cli.job.TunerDesign;
import dev.vauban.cli.job.TunerJobs;
import dev.vauban.cli.job.TunerResult;
import dev.vauban.cli.job.TunerTest;
import dev.vauban.cli.job.TunerTraining;
import dev.vauban.cli.job.UniversalEvaluation;
import dev.vauban.cli.job.UniversalTasks;
import dev.vauban.cli.run.RunDirectory;
import dev.vauban.meta.tuning.Gradients;
import dev.vauban.meta.tuning.MetaGradientGap;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** The work of {@code vauban lft}, done by the learning modules. */
public final class LearnedTunerJobs implements TunerJobs {
  /** Makes the jobs; nothing is loaded or compiled yet. */
  public LearnedTunerJobs() {}

  @Override
  public TunerResult train(
      UniversalTasks tasks,
      TunerDesign design,
      Gradients gradients,
      TunerTraining training,
      Supplier<RunDirectory> run,
      Session session) {
    return with(
        tasks,
        training.compute().open(),
        session,
        (device, sources) -> {
          try (TunerRun work =
              new TunerRun(device, sources, design, gradients, training, run.get(), session)) {
            return work.train();
          }
        });
  }

  @Override
  public TunerComparison attack(
      Path run,
      UniversalTasks tasks,
      TunerDesign design,
      Gradients gradients,
      TunerTest test,
      Session session) {
    long begun = System.nanoTime();
    try (Scope scope = Scope.open()) {
      Tree<Tensor> weights = TunerRun.weights(run, design, scope);
      List<UniversalEvaluation> all =
          with(
              tasks,
              test.compute().open(),
              session,
              (device, sources) -> {
                TunerComparisonRun work =
                    new TunerComparisonRun(
                        device, design.tuner(), weights, gradients, test, session);
                List<UniversalEvaluation> done = new ArrayList<>();
                for (AttackSource source : sources) {
                  done.add(work.of(source));
                  session.interrupt().check("nothing was written");
                }
                return done;
              });
      return new TunerComparison(run.toString(), (System.nanoTime() - begun) / 1e9, all);
    }
  }

  @Override
  public GapTable gap(
      Path run,
      List<UniversalTasks> tasks,
      TunerDesign design,
      Gradients gradients,
      GapMeasurement measurement,
      Session session) {
    try (Scope scope = Scope.open()) {
      Tree<Tensor> weights = TunerRun.weights(run, design, scope);
      List<GapTable.Row> rows = new ArrayList<>();
      for (UniversalTasks each : tasks) {
        int images = each.ways() * each.shots();
        with(
            each,
            measurement.compute().open(),
            session,
            (device, sources) -> {
              for (AttackSource source : sources) {
                rows.add(row(device, source, design, gradients, images, measurement, weights));
                session.interrupt().check("nothing was written");
              }
              return null;
            });
      }
      return new GapTable(run.toString(), measurement.tasks(), rows);
    }
  }

  private static GapTable.Row row(
      Device device,
      AttackSource source,
      TunerDesign design,
      Gradients gradients,
      int images,
      GapMeasurement measurement,
      Tree<Tensor> weights) {
    MetaGradientGap gap =
        MetaGradientGap.measure(
            device,
            design.tuner(),
            source.training(Purpose.GAP.key(measurement.seed())),
            0,
            measurement.tasks(),
            measurement.unroll(),
            gradients,
            weights,
            Purpose.TRAINING.key(measurement.seed()));
    return new GapTable.Row(
        source.name(),
        images,
        Trial.mean(gap.relative()),
        Trial.halfWidth(gap.relative()),
        Trial.mean(gap.cosine()),
        gap.meanRelative(),
        gap.meanCosine());
  }

  private interface Work<T> {
    T on(Device device, List<AttackSource> sources);
  }

  private static <T> T with(UniversalTasks tasks, Device opened, Session session, Work<T> work) {
    try (Device device = opened;
        Scope scope = Scope.open()) {
      List<AttackSource> sources = AttackSource.open(tasks, scope, device, session);
      try {
        return work.on(device, sources);
      } finally {
        sources.forEach(AttackSource::close);
      }
    }
  }
}
