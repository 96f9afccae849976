package dev.vauban.bench.gpu;

import dev.vauban.adversarial.Attacks;
import dev.vauban.meta.MetaLearner;
import dev.vauban.meta.MetaLearners;
import dev.vauban.meta.Order;
import dev.vauban.nn.Conv4;
import dev.vauban.nn.Model;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Grad;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Precision;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.golden.Runs;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Meta-loss and meta-gradient of every meta-learner, and of robust MAML under every attack, on a
 * device against the reference in double precision, on fresh weights and images.
 *
 * <p>The error is the length of the difference over the length of what is expected, of loss and
 * gradient as one vector. It may be 1e-3 (tf32: 1e-2, bf16: 5e-2), or three times what the
 * reference itself changes by when every pixel moves by 1e-6: a ReLU, a maximum or a sign may fall
 * otherwise by the last bit. In tf32 the move is 2^-10 of every pixel and weight, which is what
 * that arithmetic rounds off. In bf16 the reference evaluates the program with its roundings to
 * bf16.
 */
final class AlgorithmChecks {
  private static final double F32 = 1e-3;
  private static final double TF32 = 1e-2;
  private static final double BF16 = 5e-2;
  private static final double NUDGE = 1e-6;
  private static final double TF32_NUDGE = 0x1p-10;
  private static final double ROOM = 3;
  private static final int TASKS = 2;
  private static final int WAYS = 3;
  private static final int QUERIES = 2;
  private static final int WIDE = 16; // filters; from here on products are rounded
  private static final int STEPS = 2;
  private static final Shape IMAGE = Shape.of(16, 16, 1);
  private static final String ATTACK = "pgd-2";

  private final Device device;
  private final long seed;
  private final Consumer<Finding> to;

  AlgorithmChecks(Device device, long seed, Consumer<Finding> to) {
    this.device = device;
    this.seed = seed;
    this.to = to;
  }

  /** A meta-learner under an attack. */
  private record Algorithm(String learner, String attack, Order order) {
    @Override
    public String toString() {
      return learner + (attack.equals("none") ? "" : " " + attack) + " " + order;
    }
  }

  private static List<Algorithm> algorithms() {
    List<Algorithm> all = new ArrayList<>();
    MetaLearners.names().forEach(n -> all.add(new Algorithm(n, ATTACK, Order.SECOND)));
    for (String attack : Attacks.names()) {
      String name = attack.matches(".*(pgd|mi-).*") ? attack + "-2" : attack;
      all.add(new Algorithm("rmaml-out", name, Order.SECOND));
    }
    all.add(new Algorithm("rmaml-out", ATTACK, Order.FIRST));
    return all;
  }

  /** The programs of all rows. */
  static List<Program> programs() {
    Model model = Conv4.maxPooled(IMAGE, 4, WAYS);
    return algorithms().stream().map(a -> program(learner(a, model), model)).toList();
  }

  /** All of them in F32, a few channels wide; every {@code each}-th. */
  void inF32(int each) {
    List<Algorithm> all = algorithms();
    for (int i = 0; i < all.size(); i += each) {
      check("algorithm f32", all.get(i), 4, Precision.F32, NUDGE, F32);
    }
  }

  /** MAML and adversarial querying on a device that computes products in TF32. */
  void inTf32() {
    Algorithm maml = new Algorithm("maml", "none", Order.SECOND);
    Algorithm aq = new Algorithm("aq", ATTACK, Order.SECOND);
    check("algorithm tf32", maml, WIDE, Precision.F32, TF32_NUDGE, TF32);
    check("algorithm tf32", aq, WIDE, Precision.F32, TF32_NUDGE, TF32);
  }

  /** MAML and its first-order variant with large products in BF16. */
  void inBf16() {
    Algorithm maml = new Algorithm("maml", "none", Order.SECOND);
    Algorithm fomaml = new Algorithm("fomaml", "none", Order.FIRST);
    check("algorithm bf16", maml, WIDE, Precision.BF16, NUDGE, BF16);
    check("algorithm bf16", fomaml, WIDE, Precision.BF16, NUDGE, BF16);
  }

  private void check(
      String group,
      Algorithm algorithm,
      int filters,
      Precision precision,
      double nudge,
      double tolerance) {
    try {
      Model model = Conv4.maxPooled(IMAGE, filters, WAYS);
      MetaLearner learner = learner(algorithm, model);
      Program program = program(learner, model).in(precision);
      Map<String, double[]> in = inputs(learner, model, program);
      Map<String, double[]> expected = Runs.reference(program, in);
      Map<String, double[]> near = Runs.reference(program, moved(in, nudge));
      Map<String, double[]> actual = Poisoned.run(device, program, in);
      double allowed = Math.max(tolerance, ROOM * error(near, expected));
      to.accept(Finding.of(group, algorithm.toString(), error(actual, expected), allowed));
    } catch (RuntimeException | LinkageError e) {
      to.accept(Finding.failed(group, algorithm.toString(), tolerance, e));
    }
  }

  private static MetaLearner learner(Algorithm a, Model model) {
    MetaLearners.Options options =
        new MetaLearners.Options(
            STEPS,
            0.05,
            a.order(),
            Attacks.named(a.attack(), Attacks.Options.eps(8 / 255.0)),
            1,
            1);
    return MetaLearners.named(a.learner(), model, options).training();
  }

  private static Program program(MetaLearner learner, Model model) {
    Tree<Type> types =
        Tree.<Type>empty()
            .with("theta", learner.types(model.types()))
            .with(
                "tasks",
                Tree.<Type>empty()
                    .with("support", batch(WAYS))
                    .with("query", batch(WAYS * QUERIES))
                    .with("key", Type.i32(TASKS, 2)));
    return Program.trace(
        types,
        in -> {
          Grad.Result r =
              Grad.valueAndGrad(w -> learner.metaLoss(w, in.sub("tasks")), in.sub("theta"));
          return Tree.of("loss", r.value()).with("gradient", r.gradient());
        });
  }

  private static Tree<Type> batch(int n) {
    return Tree.of(
        "x", Type.f32(TASKS, n, IMAGE.dim(0), IMAGE.dim(1), IMAGE.dim(2)),
        "y", Type.i32(TASKS, n));
  }

  private Map<String, double[]> inputs(MetaLearner learner, Model model, Program program) {
    Key key = Key.of(seed);
    Map<String, double[]> in = new LinkedHashMap<>();
    try (Scope scope = Scope.open()) {
      learner
          .init(model.init(scope, key.fold(0)), scope)
          .paths()
          .forEach((path, t) -> in.put("theta/" + path, t.toDoubles()));
    }
    program
        .inputs()
        .sub("tasks")
        .paths()
        .forEach((path, type) -> {
          double[] values = new double[Math.toIntExact(type.shape().size())];
          Key each = key.fold(1 + path.hashCode());
          for (int i = 0; i < values.length; i++) {
            values[i] =
                switch (path.substring(path.lastIndexOf('/') + 1)) {
                  case "x" -> (float) each.uniform(i);
                  case "y" -> i % WAYS;
                  default -> (int) each.bits(i); // a task's key
                };
          }
          in.put("tasks/" + path, values);
        });
    return in;
  }

  /** Every pixel up or down; by more than the last bits also every weight, relative to its size. */
  private Map<String, double[]> moved(Map<String, double[]> in, double nudge) {
    Map<String, double[]> out = new LinkedHashMap<>(in);
    in.forEach((path, values) -> {
      boolean pixels = path.endsWith("/x");
      if (pixels || (nudge > NUDGE && path.startsWith("theta/"))) {
        double[] moved = values.clone();
        Key directions = Key.of(seed + path.hashCode());
        for (int i = 0; i < moved.length; i++) {
          double by = pixels ? nudge : nudge * moved[i];
          moved[i] += directions.bits(i) < 0 ? -by : by;
        }
        out.put(path, moved);
      }
    });
    return out;
  }

  /** Of all outputs as one vector; infinite if there is a NaN. */
  private static double error(Map<String, double[]> actual, Map<String, double[]> expected) {
    double difference = 0;
    double length = 0;
    for (Map.Entry<String, double[]> e : expected.entrySet()) {
      double[] a = actual.get(e.getKey());
      for (int i = 0; i < a.length; i++) {
        difference += (a[i] - e.getValue()[i]) * (a[i] - e.getValue()[i]);
        length += e.getValue()[i] * e.getValue()[i];
      }
    }
    double error = Math.sqrt(difference / length);
    return Double.isNaN(error) ? Double.POSITIVE_INFINITY : error;
  }
}
