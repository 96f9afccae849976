package dev.vauban.cli.job;

import dev.vauban.cli.run.RunDirectory;
import java.util.function.Supplier;

/** The work behind {@code vauban mcg}; the same rules as for {@link Jobs}. */
public interface GeneratorJobs {
  /**
   * Trains surrogates and teaches a generator on them, from {@link RunDirectory#start()} on. An
   * interrupt saves a checkpoint and ends with exit 130.
   *
   * @param run opens the run; asked for once the images have been read and fit the networks
   */
  GeneratorResult train(GeneratorTraining training, Supplier<RunDirectory> run, Session session);
}
