package dev.vauban.bench.kernels;

import dev.vauban.bench.steps.BoundStep;
import dev.vauban.bench.steps.StepCase;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** Whole meta-steps: time, and the Java heap that one allocates in steady state, on all threads. */
@State(Scope.Benchmark)
public class MetaSteps {
  /** Names of {@link StepCase}s. */
  @Param("maml-28")
  public String step;

  /** Workers. */
  @Param("2")
  public int threads;

  private BoundStep bound;

  /** Compiles. */
  @Setup
  public void prepare() {
    bound = StepCase.of(step).bind(threads);
  }

  /** One step. */
  @Benchmark
  public void run() {
    bound.run();
  }

  /** Frees. */
  @TearDown
  public void free() {
    bound.close();
  }
}
