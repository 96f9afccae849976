package dev.vauban.cli.work;

import dev.vauban.adversarial.blackbox.Campaign;
import dev.vauban.adversarial.blackbox.Guide;
import dev.vauban.adversarial.blackbox.GuidedCampaign;
import dev.vauban.adversarial.blackbox.MeteredOracle;
import dev.vauban.adversarial.blackbox.Oracle;
import dev.vauban.adversarial.blackbox.OracleException;
import dev.vauban.adversarial.blackbox.Outcome;
import dev.vauban.adversarial.blackbox.QueryMeter;
import dev.vauban.adversarial.blackbox.QueryResult;
import dev.vauban.cli.config.GuidedAttack;
import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.generator.Guides;
import dev.vauban.cli.job.Example;
import dev.vauban.cli.job.QueryEvaluation;
import dev.vauban.cli.job.QueryJob;
import dev.vauban.cli.job.Session;
import dev.vauban.cli.progress.Progress;
import dev.vauban.nn.data.FewShotData;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Shape;
import java.util.ArrayList;
import java.util.List;

/**
 * Black-box attacks on a victim: each on all images, under one meter. The cap, the user and a
 * victim that fails end the work; what was found before stands.
 */
final class QueryRun {
  private final QueryJob job;
  private final Session session;
  private final QueryMeter meter;
  private final List<Example> examples = new ArrayList<>();

  QueryRun(QueryJob job, Session session) {
    this.job = job;
    this.session = session;
    this.meter = new QueryMeter(job.limits(), this::endIfInterrupted);
  }

  /** The next call to the victim is a safe point: nothing of it has been sent or counted. */
  private void endIfInterrupted() {
    if (session.interrupt().requested()) {
      throw new OracleException(OracleException.Kind.LASTING, "interrupted");
    }
  }

  QueryEvaluation run() {
    List<QueryEvaluation.Row> rows = new ArrayList<>();
    try (Device device = job.compute().open();
        FewShotData data = DataRoles.open(job.episodes(), session);
        QueryStages stages = QueryStages.of(job, data, device)) {
      try (Guides guides = guides(device, stages.list().getFirst().oracle())) {
        for (GuidedAttack attack : job.attacks()) {
          QueryResult result = attack(attack, guides, stages.list());
          rows.add(QueryEvaluation.Row.of(result, attack.attack().needs()));
          if (!result.ended().isEmpty()) {
            break;
          }
        }
      }
    } catch (OracleException e) {
      throw CommandException.badInput(e.getMessage(), e);
    }
    return new QueryEvaluation(
        job.victim().text(),
        job.threat().metric().toString(),
        job.threat().eps(),
        job.budget(),
        List.copyOf(rows),
        List.copyOf(examples));
  }

  /** Null if no attack has a guide; then all images are of one stage. */
  private Guides guides(Device device, Oracle victim) {
    return job.guidance() == null
        ? null
        : new Guides(device, job.guidance(), victim, job.threat(), job.seed());
  }

  private QueryResult attack(GuidedAttack attack, Guides guides, List<QueryStages.Stage> stages) {
    Campaign campaign = new Campaign(attack.attack(), job.threat(), job.budget());
    if (attack.guide().isEmpty()) {
      return attack(attack.name(), campaign::run, stages);
    }
    try (Guide guide = guides.open(attack.guide().get())) {
      int proposals = job.guidance().proposals();
      return attack(attack.name(), new GuidedCampaign(guide, proposals, campaign)::run, stages);
    }
  }

  /** A campaign with or without a guide. */
  private interface Work {
    QueryResult run(
        MeteredOracle oracle, float[][] images, int[] labels, Key key, Campaign.Progress progress);
  }

  /** One attack on the images of all stages, as one result. */
  private QueryResult attack(String name, Work work, List<QueryStages.Stage> stages) {
    Key key = Stream.QUERIES.key(job.seed());
    List<Outcome> outcomes = new ArrayList<>();
    long before = meter.sent();
    String ended = "";
    int total = stages.stream().mapToInt(s -> s.labels().length).sum();
    try (Progress progress = Progress.start(session.console(), name, total, "img")) {
      for (int s = 0; s < stages.size() && ended.isEmpty(); s++) {
        QueryStages.Stage stage = stages.get(s);
        int done = outcomes.size();
        QueryResult result =
            work.run(
                new MeteredOracle(stage.oracle(), meter),
                stage.images(),
                stage.labels(),
                key.fold(s),
                (ready, sent) -> {
                  progress.at(done + ready);
                  endIfInterrupted();
                });
        outcomes.addAll(result.outcomes());
        ended = result.ended();
        collect(name, stage, result);
      }
    }
    return new QueryResult(
        name, job.threat(), job.budget(), outcomes, meter.sent() - before, ended);
  }

  /** Some fooled images, shared out among the attacks. */
  private void collect(String name, QueryStages.Stage stage, QueryResult result) {
    int each = Math.max(1, job.examples() / job.attacks().size());
    Shape image = stage.oracle().image();
    long shown = examples.stream().filter(e -> e.model().equals(name)).count();
    for (Outcome o : result.outcomes()) {
      if (o.status() == Outcome.Status.SUCCESS && shown < each) {
        shown++;
        examples.add(
            new Example(
                name,
                image.dim(0),
                image.dim(1),
                image.dim(2),
                stage.images()[o.number()],
                o.adversarial(),
                o.label(),
                o.label(),
                o.answer(),
                job.threat().eps()));
      }
    }
  }
}
