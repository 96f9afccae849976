package dev.vauban.cli;

import dev.vauban.cli.failure.CommandException;
import dev.vauban.cli.failure.DivergedException;
import dev.vauban.cli.job.DataInfo;
import dev.vauban.cli.job.Episodes;
import dev.vauban.cli.job.Evaluation;
import dev.vauban.cli.job.Example;
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
import dev.vauban.cli.progress.Progress;
import dev.vauban.cli.run.Provenance;
import dev.vauban.cli.run.RunDirectory;
import dev.vauban.tensor.Key;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Stands in for the learning modules where a test is about the commands around them. "Training" is
 * a number that each step changes, so that a resumed run can be compared with an unbroken one.
 */
public final class FakeJobs implements Jobs {
  /** What the next call throws instead of working, if not null. */
  RuntimeException failure;

  /** The method whose trainings diverge; null for none. */
  String diverging;

  /** What happens on the disk while the next call works. */
  Happening meanwhile = () -> {};

  /** Something that may fail. */
  interface Happening {
    void happen() throws IOException;
  }

  /** Milliseconds that a training step takes. */
  long stepMillis;

  /** Steps after which training asks itself to stop, as Ctrl-C would; 0 for never. */
  int interruptAfter;

  Learner learner;
  Episodes episodes;
  OuterLoop training;
  Threat threat;
  Protocol protocol;
  Quickstart quickstart;
  QueryJob queries;

  @Override
  public Evaluation quickstart(Quickstart job, Session session) {
    fail();
    quickstart = job;
    List<Evaluation.Row> rows =
        List.of(row("maml", 0.9, 0.4, job.eps()), row("rmaml-out", 0.89, 0.77, job.eps()));
    List<Evaluation.Row> sweep =
        List.of(row("maml", 0.9, 0.7, 0.01), row("rmaml-out", 0.89, 0.85, 0.01));
    List<Evaluation.History> histories =
        List.of(
            new Evaluation.History(
                "maml",
                List.of(
                    new Evaluation.History.Point(0, 0.2, 0.1),
                    new Evaluation.History.Point(100, 0.9, 0.4))));
    return new Evaluation(
        job.eps(), "pgd", rows, new Evaluation.Figures(sweep, histories, examples(2, job.eps())));
  }

  @Override
  public TrainResult train(
      Learner what, Episodes on, Training how, Supplier<RunDirectory> opening, Session session) {
    fail();
    if (what.method().label().equals(diverging)) {
      throw new DivergedException("training has diverged: the meta-loss is NaN at step 1");
    }
    RunDirectory run = opening.get();
    learner = what;
    episodes = on;
    training = how.loop();
    long from = run.start().map(c -> c.step()).orElse(0L);
    run.begin(
        new Provenance(
            "test",
            training.seed(),
            on.data().toString(),
            "00",
            "none",
            List.of(Provenance.Session.ofProcess(from, session.arguments()))));
    Key weight = run.start().map(c -> read(c.file())).orElse(Key.of(training.seed()));
    try (Progress progress =
        Progress.start(session.console(), "train", training.iterations(), "it")) {
      for (long step = from + 1; step <= training.iterations(); step++) {
        sleep();
        weight = weight.fold(step);
        double loss = weight.uniform(0);
        Map<String, Double> figures = new HashMap<>();
        figures.putAll(Map.of("loss", loss, "clean", 1 - loss, "robust", 0.5 - loss / 2));
        figures.putAll(Map.of("seconds", (double) (step - from), "processor_seconds", 1.0));
        run.log(step, figures);
        progress.at(step, Map.of("loss", loss));
        if (step == interruptAfter) {
          session.interrupt().request();
        }
        boolean stop = session.interrupt().requested();
        if (stop || step % how.pace().checkpointEvery() == 0 || step == training.iterations()) {
          Key now = weight;
          run.save(
              step, how.pace().keep(), file -> Files.writeString(file, now.k0() + " " + now.k1()));
        }
        session.interrupt().check(run.kept());
      }
    }
    System.getLogger("dev.vauban.test").log(System.Logger.Level.INFO, "trained");
    double loss = weight.uniform(0);
    return new TrainResult(
        run.folder().toString(),
        what.method().label(),
        training.iterations(),
        loss,
        1 - loss,
        null,
        training.iterations() - from,
        1);
  }

  @Override
  public Evaluation eval(
      Path model, Learner what, Episodes on, Threat how, Protocol under, Session session) {
    fail();
    learner = what;
    episodes = on;
    threat = how;
    protocol = under;
    List<Evaluation.Row> rows = new ArrayList<>();
    for (double eps : how.eps()) {
      rows.add(row(what.method().label(), 0.9, 0.9 - 3 * eps, eps));
    }
    return new Evaluation(
        how.eps().get(0),
        how.attack().label(),
        rows,
        new Evaluation.Figures(List.of(), List.of(), examples(under.examples(), how.eps().get(0))));
  }

  @Override
  public QueryEvaluation queries(QueryJob job, Session session) {
    this.queries = job;
    if (failure != null) {
      throw failure;
    }
    return new QueryEvaluation("a fake", "Linf", 0.1, job.budget(), List.of(), List.of());
  }

  @Override
  public DataInfo data(Episodes on, Session session) {
    fail();
    episodes = on;
    return new DataInfo(
        on.data().toString(), 28, 28, 1, "abc", List.of(new DataInfo.Split("train", 64, 1280, 20)));
  }

  @Override
  public PlanView plan(Learner what, Episodes on, OuterLoop loop, Session session) {
    fail();
    session.console().notice("planning");
    sleep();
    return new PlanView("conv  4x28x28x1", 1, List.of(), 1e6, 4096);
  }

  @Override
  public TunerJobs tuners() {
    throw new UnsupportedOperationException("the stand-in has no tuners");
  }

  @Override
  public GeneratorJobs generators() {
    throw new UnsupportedOperationException("the stand-in has no generators");
  }

  private static Evaluation.Row row(String method, double clean, double robust, double eps) {
    return new Evaluation.Row(method, eps, 10, 100, clean, 0.01, robust, 0.02, 12.5);
  }

  private static List<Example> examples(int count, double eps) {
    List<Example> examples = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      float[] clean = {0, 0.5f, 1, 0.25f};
      float[] attacked = {(float) eps, 0.5f, 1 - (float) eps, 0.25f};
      examples.add(new Example("maml", 2, 2, 1, clean, attacked, 0, 0, i % 2, eps));
    }
    return examples;
  }

  private static Key read(Path file) {
    try {
      String[] words = Files.readString(file).split(" ");
      return new Key(Integer.parseInt(words[0]), Integer.parseInt(words[1]));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void fail() {
    if (failure != null) {
      throw failure;
    }
    try {
      meanwhile.happen();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void sleep() {
    try {
      Thread.sleep(stepMillis);
    } catch (InterruptedException e) {
      throw CommandException.failed("asleep and interrupted", e);
    }
  }
}
