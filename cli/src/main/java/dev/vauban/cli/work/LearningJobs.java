package dev.vauban.cli.work;

import dev.vauban.cli.Version;
import dev.vauban.cli.generator.LearnedGeneratorJobs;
import dev.vauban.cli.job.DataInfo;
import dev.vauban.cli.job.Episodes;
import dev.vauban.cli.job.Evaluation;
import dev.vauban.cli.job.GeneratorJobs;
import dev.vauban.cli.job.Jobs;
import dev.vauban.cli.job.Learner;
import dev.vauban.cli.job.OuterLoop;
import dev.vauban.cli.job.PlanView;
import dev.vauban.cli.job.Protocol;
import dev.vauban.cli.job.QueryEvaluation;
import dev.vauban.cli.job.QueryJob;
import dev.vauban.cli.job.Quickstart;
import dev.vauban.cli.job.Session;
import dev.vauban.cli.job.Threat;
import dev.vauban.cli.job.TrainResult;
import dev.vauban.cli.job.Training;
import dev.vauban.cli.job.TunerJobs;
import dev.vauban.cli.run.Provenance;
import dev.vauban.cli.run.RunDirectory;
import dev.vauban.cli.tuning.LearnedTunerJobs;
import dev.vauban.meta.Learning;
import dev.vauban.nn.data.FewShotData;
import dev.vauban.nn.data.ImageSet;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** The commands' work, done by the learning modules on the device that each asks for. */
public final class LearningJobs implements Jobs {
  /** Makes the jobs; nothing is loaded or compiled yet. */
  public LearningJobs() {}

  @Override
  public Evaluation quickstart(Quickstart job, Session session) {
    return new QuickstartRun(job, session).run();
  }

  @Override
  public TrainResult train(
      Learner learner,
      Episodes episodes,
      Training training,
      Supplier<RunDirectory> run,
      Session session) {
    OuterLoop loop = training.loop();
    try (Device device = loop.compute().open();
        DataRoles roles = DataRoles.open(episodes, use(training), session)) {
      Recipe recipe = Recipe.of(learner, roles.training(), episodes.ways(), loop);
      TrainingTasks tasks = TrainingTasks.of(roles, episodes, loop, training.validations());
      Provenance provenance =
          new Provenance(
              Version.text(),
              loop.seed(),
              episodes.data().toString(),
              roles.data().all().contentHash(),
              device.description(),
              List.of());
      try (TrainingRun work =
          new TrainingRun(device, recipe, tasks, training, run.get(), provenance, session)) {
        return work.train();
      }
    }
  }

  private static DataRoles.Use use(Training training) {
    return training.validateEvery() > 0 ? DataRoles.Use.VALIDATED : DataRoles.Use.UNVALIDATED;
  }

  @Override
  public Evaluation eval(
      Path model,
      Learner learner,
      Episodes episodes,
      Threat threat,
      Protocol protocol,
      Session session) {
    try (Device device = protocol.compute().open();
        FewShotData data = DataRoles.open(episodes, session);
        Scope scope = Scope.open()) {
      Recipe recipe = Recipe.of(learner, data.evaluation(), episodes.ways());
      Path file = ModelFile.of(model);
      Tree<Tensor> theta = ModelFile.weights(file, recipe, scope);
      session.console().notice("evaluating %s on %s".formatted(file, DataRoles.evaluatedOn(data)));
      try (EvaluationRun work =
          new EvaluationRun(device, recipe, data, episodes, threat, protocol, session)) {
        return work.of(recipe.method().name(), theta);
      }
    }
  }

  @Override
  public QueryEvaluation queries(QueryJob job, Session session) {
    return new QueryRun(job, session).run();
  }

  @Override
  public DataInfo data(Episodes episodes, Session session) {
    try (FewShotData data = DataRoles.open(episodes, session)) {
      ImageSet all = data.all();
      List<DataInfo.Split> splits = new ArrayList<>();
      splits.add(split("train", data.train()));
      splits.add(split("validation", data.validation()));
      splits.add(split("test", data.test()));
      return new DataInfo(
          episodes.data().toString(),
          all.height(),
          all.width(),
          all.channels(),
          all.contentHash(),
          List.copyOf(splits));
    }
  }

  private static DataInfo.Split split(String name, ImageSet set) {
    return new DataInfo.Split(name, set.classCount(), set.size(), set.leastImages());
  }

  @Override
  public PlanView plan(Learner learner, Episodes episodes, OuterLoop loop, Session session) {
    try (Device device = loop.compute().open();
        DataRoles roles = DataRoles.open(episodes, DataRoles.Use.UNVALIDATED, session);
        Learning trainer =
            Recipe.of(learner, roles.training(), episodes.ways(), loop)
                .learning(device, TrainingTasks.toLearnFrom(roles, episodes, loop), loop)) {
      Plan plan = trainer.plan();
      List<Plan.Part> parts = plan.parts();
      long kernels =
          parts.stream().filter(part -> part.depth() == 0).mapToLong(Plan.Part::kernels).sum();
      return new PlanView(plan.toString(), kernels, parts, plan.flops(), plan.bytes());
    }
  }

  @Override
  public TunerJobs tuners() {
    return new LearnedTunerJobs();
  }

  @Override
  public GeneratorJobs generators() {
    return new LearnedGeneratorJobs();
  }
}
