package dev.vauban.meta.tuning;

import dev.vauban.nn.Tuner;
import dev.vauban.nn.Weight;
import dev.vauban.tensor.DType;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Grad;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.Vmap;
import java.util.Arrays;

/**
 * How far the meta-gradient of a learned fine-tuner (LFT, judged on unseen data) is from that of
 * learning to optimise (L2O, judged on the data tuned on), at the same weights, on the same tasks.
 *
 * <p>Both are means over a task's data, of one distribution; so their difference is a sampling
 * error, and shrinks about as 1 / sqrt(n) with n examples of each part (Zhao et al. 2020, the bound
 * on the two gradients' distance). Where a task has thousands of examples the two objectives are
 * one; it is with a few that they differ.
 *
 * @param relative for each task, |g_LFT - g_L2O| over the root mean square of |g_L2O| over all
 *     tasks: a task that is solved, whose g_L2O is nothing, must not count infinitely
 * @param cosine for each task, that of the angle between g_LFT and g_L2O; 0 if one is nothing
 * @param meanRelative the same of the two gradients' means over all tasks: what a meta-step sees
 * @param meanCosine the same of the two gradients' means over all tasks
 */
public record MetaGradientGap(
    double[] relative, double[] cosine, double meanRelative, double meanCosine) {

  /**
   * Measures it over the first segment of an unrolling.
   *
   * @param device where it runs
   * @param tuner with weights
   * @param problems the family
   * @param first number of the first task
   * @param tasks how many, at least 1
   * @param unroll steps of a segment and their weights; which data it judges on has no part
   * @param gradients what the tuner gets to see
   * @param weights the tuner's
   * @param key the source of the gradient estimates' directions, the same for both
   */
  public static MetaGradientGap measure(
      Device device,
      Tuner tuner,
      Problems problems,
      long first,
      int tasks,
      Unroll unroll,
      Gradients gradients,
      Tree<Tensor> weights,
      Key key) {
    if (tasks < 1 || tuner.weights().size() == 0) {
      throw new IllegalArgumentException(
          "a tuner with weights and at least 1 task have a meta-gradient, not %d tasks"
              .formatted(tasks));
    }
    Tuning tuning = new Tuning(problems, tuner, gradients);
    Tree<Type> types =
        Tree.<Type>empty()
            .with("weights", Weight.types(tuner.weights()))
            .with("shared", problems.shared())
            .with("own", TunerTrainer.each(tasks, problems.own()))
            .with("key", Type.i32(2));
    Program program = Program.trace(types, in -> bothGradients(tuning, unroll, tasks, in));
    try (Scope scope = Scope.open();
        Plan plan = device.compile(program)) {
      Tree<Tensor> own = scope.tensors(types.sub("own"));
      problems.fill(first, own);
      Tree<Tensor> in =
          Tree.<Tensor>empty()
              .with("weights", weights)
              .with("shared", problems.shared(scope))
              .with("own", own)
              .with("key", scope.tensor(Type.i32(2)).set((double) key.k0(), key.k1()));
      Tree<Tensor> out = scope.tensors(program.outputs());
      plan.bind(in, out).run();
      return of(out.get("lft").toDoubles(), out.get("l2o").toDoubles(), tasks);
    }
  }

  /** {@code lft} and {@code l2o} [tasks,weights]. */
  private static Tree<Expr> bothGradients(Tuning tuning, Unroll unroll, int tasks, Tree<Expr> in) {
    Tree<Expr> elements =
        Tree.<Expr>empty()
            .with("own", in.sub("own"))
            .with("task", Expr.iota(new Type(DType.I32, Shape.of(tasks)), 0));
    return Vmap.vmap(
        e ->
            Tree.of(
                "lft", gradient(tuning, unroll.judgedOn(Problems.Part.UNSEEN), in, e),
                "l2o", gradient(tuning, unroll.judgedOn(Problems.Part.TUNED_ON), in, e)),
        elements);
  }

  private static Expr gradient(Tuning tuning, Unroll unroll, Tree<Expr> in, Tree<Expr> task) {
    Tree<Expr> g =
        Grad.grad(
            w ->
                TunerTrainer.segment(
                        tuning,
                        unroll,
                        w,
                        in.sub("shared"),
                        task.with("at", tuning.start(w).tree()),
                        Expr.fill(Type.i32(), 0),
                        in.get("key").fold(task.get("task")))
                    .get("loss"),
            in.sub("weights"));
    return Expr.concat(
        0,
        g.leaves().stream()
            .map(leaf -> leaf.reshape(Math.toIntExact(leaf.shape().size())))
            .toArray(Expr[]::new));
  }

  private static MetaGradientGap of(double[] lft, double[] l2o, int tasks) {
    int size = lft.length / tasks;
    double[] relative = new double[tasks];
    double[] cosine = new double[tasks];
    double[] lftMean = new double[size];
    double[] l2oMean = new double[size];
    double typical = Math.sqrt(dot(l2o, l2o) / tasks);
    for (int t = 0; t < tasks; t++) {
      double[] a = Arrays.copyOfRange(lft, t * size, (t + 1) * size);
      double[] b = Arrays.copyOfRange(l2o, t * size, (t + 1) * size);
      relative[t] = distance(a, b) / typical;
      cosine[t] = angle(a, b);
      for (int i = 0; i < size; i++) {
        lftMean[i] += a[i] / tasks;
        l2oMean[i] += b[i] / tasks;
      }
    }
    return new MetaGradientGap(
        relative,
        cosine,
        distance(lftMean, l2oMean) / Math.sqrt(dot(l2oMean, l2oMean)),
        angle(lftMean, l2oMean));
  }

  private static double distance(double[] a, double[] b) {
    double[] difference = new double[a.length];
    for (int i = 0; i < a.length; i++) {
      difference[i] = a[i] - b[i];
    }
    return Math.sqrt(dot(difference, difference));
  }

  private static double angle(double[] a, double[] b) {
    double norms = Math.sqrt(dot(a, a) * dot(b, b));
    return norms == 0 ? 0 : dot(a, b) / norms;
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }
}
