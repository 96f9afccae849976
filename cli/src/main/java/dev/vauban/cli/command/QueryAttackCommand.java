package dev.vauban.cli.command;

import dev.vauban.adversarial.blackbox.BlackBoxAttack;
import dev.vauban.adversarial.blackbox.Oracle;
import dev.vauban.adversarial.blackbox.Threat;
import dev.vauban.cli.config.Base;
import dev.vauban.cli.config.Eps;
import dev.vauban.cli.config.GuidedAttack;
import dev.vauban.cli.config.Norm;
import dev.vauban.cli.config.Presets;
import dev.vauban.cli.config.Range;
import dev.vauban.cli.config.Settings.Value;
import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.failure.ExitCode;
import dev.vauban.cli.job.Answer;
import dev.vauban.cli.job.Guidance;
import dev.vauban.cli.job.QueryEvaluation;
import dev.vauban.cli.job.QueryJob;
import dev.vauban.cli.job.QueryVictim;
import dev.vauban.cli.job.Session;
import dev.vauban.cli.report.Examples;
import dev.vauban.cli.report.QueryReport;
import dev.vauban.cli.run.OutputPath;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code vauban query-attack}: attacks by queries alone. */
@CommandLine.Command(
    name = "query-attack",
    description = {
      "Attack a model by asking it: scores or labels, no gradients, every query counted.",
      "The victim is a model, or a service or program that you own (docs/black-box.md). As with eval,"
          + " data, split, rotations, ways, shots, queries and eps default to what a run was trained"
          + " with."
    },
    footer = {
      "",
      "Examples:",
      "  vauban query-attack runs/a --attack square,nes --budget 2000",
      "  vauban query-attack --url http://localhost:8080/ --data mnist:DIR --attack boundary"
          + " --norm l2 --eps 500/255",
      "  vauban query-attack runs/rfs --victim classifier --generator runs/mcg"
          + " --attack square,mcg+square"
    })
public final class QueryAttackCommand implements Command, Base, Presets {
  private static final int EXAMPLES = 24;

  @Mixin VictimOptions victim;

  @Option(
      names = "--attack",
      paramLabel = "ATTACK",
      split = ",",
      defaultValue = "square",
      description =
          "one or several with commas: square, nes, spsa, zoo, zo-signsgd, simba, simba-dct and"
              + " bandits need scores; hop-skip-jump, sign-opt and boundary (the last two with --norm"
              + " l2) labels alone; mcg+square and transfer+square begin with proposals of"
              + " --generator (default: ${DEFAULT-VALUE})")
  List<GuidedAttack> attacks;

  @Mixin GuideOptions guides;

  @Option(
      names = "--norm",
      paramLabel = "NORM",
      defaultValue = "linf",
      description = "of eps: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE})")
  Norm norm;

  @Option(
      names = "--eps",
      paramLabel = "EPS",
      description =
          "how far an image may be changed, as 8/255 or a decimal in (0,1) (default: 16/255 on grey"
              + " images, 8/255 on colour)")
  Eps eps;

  @Range(min = 1, max = 10_000_000)
  @Option(
      names = "--budget",
      paramLabel = "N",
      defaultValue = "1000",
      description = "queries per image and attack (default: ${DEFAULT-VALUE})")
  int budget;

  @Range(min = 1, max = 100_000)
  @Option(
      names = "--images",
      paramLabel = "N",
      defaultValue = "75",
      description = "images to attack (default: ${DEFAULT-VALUE})")
  int images;

  @Range(min = 0, max = 1000)
  @Option(
      names = "--fine-tune-steps",
      paramLabel = "N",
      defaultValue = "10",
      description = "adaptation steps of an adapted victim (default: ${DEFAULT-VALUE})")
  int fineTuneSteps;

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "folder for report.html and attacked images (default: none)")
  Path out;

  @Mixin EpisodeOptions episodes;
  @Mixin WorkOptions work;
  @Mixin ConfigOptions config;

  @Override
  public Optional<Inherited> base() {
    return ModelPath.settings(victim.model);
  }

  @Override
  public Map<String, Value> presets() {
    return LearnerOptions.suitedTo(episodes.data);
  }

  @Override
  public Stop stop() {
    return Stop.AT_SAFE_POINT;
  }

  @Override
  public Answer run(Session session) {
    QueryJob job = job(session);
    if (out != null) {
      OutputPath.requireFolder("--out", out);
    }
    QueryEvaluation found = session.jobs().get().queries(job, session);
    ExitCode code = ended(found, session);
    if (out != null) {
      ExitCode kept =
          session.keep(() -> {
            Examples.write(out.resolve("images"), found.examples());
            QueryReport.write(out.resolve("report.html"), found, session);
            session.console().notice("report: " + out.resolve("report.html"));
          });
      code = code == ExitCode.OK ? kept : code;
    }
    return new Answer(code, Tables.queries(found, session.console().width()), found);
  }

  /** Says why the work ended early, if it did. */
  private static ExitCode ended(QueryEvaluation found, Session session) {
    Optional<String> reason =
        found.rows().stream().map(QueryEvaluation.Row::ended).filter(Objects::nonNull).findFirst();
    reason.ifPresent(
        sentence -> session.console().error(sentence + "; what was found before is kept"));
    if (reason.isEmpty()) {
      return ExitCode.OK;
    }
    return session.interrupt().requested() ? ExitCode.INTERRUPTED : ExitCode.FAILED;
  }

  private QueryJob job(Session session) {
    QueryJob.Outside outside = victim.outside();
    for (BlackBoxAttack attack : attacks.stream().map(GuidedAttack::attack).toList()) {
      if (!attack.metrics().contains(norm.metric())) {
        throw CommandException.badInput("--norm linf: " + attack.name() + " works in l2 alone");
      }
      if (attack.needs() == Oracle.Reply.SCORES && outside.reply() == Oracle.Reply.LABELS) {
        throw CommandException.badInput(
            "--reply labels: "
                + attack.name()
                + " needs scores; boundary, sign-opt and"
                + " hop-skip-jump do not");
      }
    }
    QueryVictim asked = victim.victim(session.environment());
    Guidance guidance = guides.guidance(attacks, asked);
    double radius = norm == Norm.LINF ? eps.linf() : eps.value();
    return new QueryJob(
        asked,
        episodes.episodes(),
        List.copyOf(attacks),
        guidance,
        new Threat(norm.metric(), radius),
        budget,
        images,
        fineTuneSteps,
        victim.limits(),
        outside,
        EXAMPLES,
        work.seed,
        work.compute());
  }
}
