package dev.vauban.cli.command;

import dev.vauban.cli.config.Presets;
import dev.vauban.cli.config.Settings.Value;
import dev.vauban.cli.job.Answer;
import dev.vauban.cli.job.PlanView;
import dev.vauban.cli.job.Session;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;

/** {@code vauban plan}: the compiled meta-step. */
@CommandLine.Command(
    name = "plan",
    description = "Compile a meta-step and print its plan: kernels, shapes, FLOPs, bytes.")
public final class PlanCommand implements Command, Presets {
  @Mixin LearnerOptions learner;
  @Mixin EpisodeOptions episodes;
  @Mixin OuterOptions outer;
  @Mixin WorkOptions work;
  @Mixin ConfigOptions config;

  @Override
  public Map<String, Value> presets() {
    Map<String, Value> presets = learner.presets(episodes.data);
    presets.putAll(outer.presets(learner.method));
    return presets;
  }

  @Override
  public Answer run(Session session) {
    learner.refuseContradictions(session.settings(), "");
    learner.refuseStrangers(outer.trainWays, episodes.ways);
    PlanView plan =
        session
            .jobs()
            .get()
            .plan(learner.learner(), episodes.episodes(), outer.loop(work), session);
    return Answer.ok(plan.text(), plan);
  }
}
