package dev.vauban.cli.job;

import dev.vauban.cli.run.RunDirectory;
import dev.vauban.meta.tuning.Gradients;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;

/** The work behind {@code vauban lft}; the same rules as for {@link Jobs}. */
public interface TunerJobs {
  /**
   * Meta-trains a tuner from {@link RunDirectory#start()} on. An interrupt saves a checkpoint and
   * ends with exit 130.
   *
   * @param run opens the run; asked for once images and victims are there
   */
  TunerResult train(
      UniversalTasks tasks,
      TunerDesign design,
      Gradients gradients,
      TunerTraining training,
      Supplier<RunDirectory> run,
      Session session);

  /** Tests the tuner of {@code run} on all sources of {@code tasks}. */
  TunerComparison attack(
      Path run,
      UniversalTasks tasks,
      TunerDesign design,
      Gradients gradients,
      TunerTest test,
      Session session);

  /**
   * Compares the meta-gradients of LFT and L2O at the weights of {@code run}.
   *
   * @param tasks of fewer and of more images, each with a row for every source
   */
  GapTable gap(
      Path run,
      List<UniversalTasks> tasks,
      TunerDesign design,
      Gradients gradients,
      GapMeasurement measurement,
      Session session);
}
