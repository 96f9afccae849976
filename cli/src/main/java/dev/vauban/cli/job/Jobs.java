package dev.vauban.cli.job;

import dev.vauban.cli.run.RunDirectory;
import java.nio.file.Path;
import java.util.function.Supplier;

/**
 * The work behind the commands. Commands read options, print and write files; this interface is all
 * they know of data sets, networks, meta-learners and attacks.
 *
 * <p>Every method polls {@link Session#interrupt()} between steps, shows its progress on {@link
 * Session#console()}, and reports a user's mistake (more ways than classes, a damaged archive, a
 * checkpoint of another architecture) as a {@link dev.vauban.cli.failure.CommandException} or a
 * {@link dev.vauban.tensor.FormatException} with one sentence.
 */
public interface Jobs {
  /** Meta-trains MAML and R-MAML on the built-in data and evaluates both on unseen classes. */
  Evaluation quickstart(Quickstart job, Session session);

  /**
   * Meta-trains from {@link RunDirectory#start()} on. An interrupt saves a checkpoint and ends with
   * exit 130.
   *
   * @param run opens the run; asked for once the data have been read and fit the task, so that a
   *     mistake leaves no run behind
   */
  TrainResult train(
      Learner learner,
      Episodes episodes,
      Training training,
      Supplier<RunDirectory> run,
      Session session);

  /** Evaluates {@code model} (a run directory or a .safetensors file) on unseen classes. */
  Evaluation eval(
      Path model,
      Learner learner,
      Episodes episodes,
      Threat threat,
      Protocol protocol,
      Session session);

  /**
   * Attacks a victim by queries alone. What was found before an interrupt or a failure of the
   * victim is the result.
   */
  QueryEvaluation queries(QueryJob job, Session session);

  /** What a data set holds. */
  DataInfo data(Episodes episodes, Session session);

  /** The compiled plan of one meta-step. */
  PlanView plan(Learner learner, Episodes episodes, OuterLoop loop, Session session);

  /** Learned fine-tuners. */
  TunerJobs tuners();

  /** Generators of perturbations. */
  GeneratorJobs generators();
}
