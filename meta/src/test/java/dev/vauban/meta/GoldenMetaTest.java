package dev.vauban.meta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.vauban.adversarial.AdversarialTraining;
import dev.vauban.adversarial.Attack;
import dev.vauban.nn.Batch;
import dev.vauban.nn.Loss;
import dev.vauban.nn.Losses;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Grad;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.backend.reference.Reference;
import dev.vauban.tensor.golden.GoldenCase;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Adapted weights after every step, losses and meta-gradients against the reference values. */
class GoldenMetaTest {
  private static final double TOLERANCE = 1e-8;
  private final GoldenNet net = new GoldenNet();

  private static void assertClose(String what, double[] actual, double[] expected) {
    assertThat(actual).as(what).hasSameSizeAs(expected);
    for (int i = 0; i < expected.length; i++) {
      assertThat(actual[i]).as("%s[%d]", what, i).isCloseTo(expected[i], within(TOLERANCE));
    }
  }

  /** MAML as the case says: its order, which weights adapt; the set-up's rate and steps. */
  private Maml maml(GoldenCase g, Loss outer) {
    Order order = g.count("order") == 1 ? Order.FIRST : Order.SECOND;
    return new Maml(net.loss, outer, net.steps, net.rate, order, adapted(g));
  }

  /** The choice of leaves that is the case's list of those that adapt. */
  private Leaves adapted(GoldenCase g) {
    List<String> names = g.list("adapted").stream().map(n -> n.replace('.', '/')).toList();
    List<Leaves> choices = List.of(Leaves.ALL, Leaves.only("head"), Leaves.except("head"));
    return choices.stream()
        .filter(c ->
            net.leaves.keySet().stream()
                .allMatch(l -> c.contain(l) == (names.contains("all") || names.contains(l))))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("no such choice of leaves: " + names));
  }

  /** Everything that the case records of a MAML-like learner. */
  private void check(GoldenCase g, MetaLearner learner) {
    Leaves adapted = adapted(g);
    Map<String, double[]> out = net.run(in -> trace(learner, in.sub("theta"), in.sub("tasks")));
    for (int t = 0; t < net.tasks; t++) {
      for (int k = 1; k <= net.steps; k++) {
        for (String leaf : net.leaves.keySet()) {
          if (adapted.contain(leaf)) {
            String path = "t" + t + "/fast" + k + "/" + leaf;
            assertClose(path, out.get(path), net.weight(g, path));
          } else {
            String path = "t" + t + "/fast" + k + "/" + leaf;
            double[] theta = net.weight(net.setup, "theta." + leaf);
            assertThat(out.get(path)).as("%s stays", path).isEqualTo(theta);
          }
        }
      }
      String task = "t" + t;
      assertClose("inner losses", out.get(task + "/inner"), g.get(task + ".inner_losses"));
      assertClose("logits", out.get(task + "/logits"), g.get(task + ".query_logits"));
    }
    assertClose("meta loss", out.get("loss"), g.get("meta_loss"));
    for (String leaf : net.leaves.keySet()) {
      assertClose(leaf, out.get("gradient/" + leaf), net.weight(g, "meta_grad." + leaf));
    }
  }

  private Tree<Expr> trace(MetaLearner learner, Tree<Expr> theta, Tree<Expr> tasks) {
    Tree<Expr> out = Tree.empty();
    for (int t = 0; t < net.tasks; t++) {
      Task<Expr> task = GoldenNet.task(tasks, t);
      Tree<Expr> fast = learner.start(theta, task.support());
      Tree<Expr> of = Tree.empty();
      List<Expr> losses = new ArrayList<>();
      for (int k = 1; k <= net.steps; k++) {
        losses.add(net.loss.of(fast, task.support()).reshape(1));
        fast = learner.step(theta, fast, task.support());
        of = of.with("fast" + k, fast);
      }
      of = of.with("inner", Expr.concat(0, losses.toArray(Expr[]::new)));
      out = out.with("t" + t, of.with("logits", net.logits(fast, task.query().x())));
    }
    Grad.Result r = Grad.valueAndGrad(w -> learner.metaLoss(w, tasks), theta);
    return out.with("loss", r.value()).with("gradient", r.gradient());
  }

  @ParameterizedTest
  @ValueSource(strings = {"maml", "fomaml", "anil", "anil_first_order", "boil"})
  void mamlAndItsVariants(String name) {
    GoldenCase g = GoldenCase.of("meta/" + name);
    check(g, maml(g, net.loss));
  }

  private Attack attack(GoldenCase g) {
    return GoldenNet.unclippedFgsm(g.attr("attack.eps"));
  }

  @Test
  void robustMaml() {
    GoldenCase g = GoldenCase.of("meta/rmaml_fgsm");
    double clean = g.attr("attack.clean");
    Loss one = RobustLosses.regularised(net.loss, attack(g), g.attr("attack.w") / clean);
    check(g, maml(g, (w, b) -> one.of(w, b).mul(clean)));
  }

  @Test
  void adversarialImagesAreMadeAtTheAdaptedWeights() {
    GoldenCase g = GoldenCase.of("meta/rmaml_fgsm");
    AdversarialTraining training = new AdversarialTraining(attack(g));
    Maml maml = maml(g, net.loss);
    Map<String, double[]> out =
        net.run(in -> {
          Tree<Expr> r = Tree.empty();
          for (int t = 0; t < net.tasks; t++) {
            Task<Expr> task = GoldenNet.task(in.sub("tasks"), t);
            Tree<Expr> fast = maml.adapt(in.sub("theta"), task.support());
            Expr adv = training.images(net.loss, fast, task.query());
            r = r.with("x" + t, adv);
            r = r.with("l" + t, net.loss.of(fast, task.query().withX(adv)));
          }
          return r;
        });
    for (int t = 0; t < net.tasks; t++) {
      assertClose("images", out.get("x" + t), g.images("t" + t + ".xq_adv"));
      assertClose("loss", out.get("l" + t), g.get("t" + t + ".adv_query_loss"));
    }
  }

  @Test
  void adversarialQuerying() {
    GoldenCase g = GoldenCase.of("meta/aq_fgsm");
    assertThat(g.attr("attack.clean")).as("share of the clean loss").isZero();
    Loss one = new AdversarialTraining(attack(g)).apply(net.loss);
    check(g, maml(g, (w, b) -> one.of(w, b).mul(g.attr("attack.w"))));
  }

  @Test
  void multiStepLoss() {
    GoldenCase g = GoldenCase.of("meta/mamlpp_msl");
    List<Double> weights = g.list("msl_weights").stream().map(Double::valueOf).toList();
    check(g, new MultiStepMaml(maml(g, net.loss), weights));
  }

  @Test
  void metaSgdLearnsItsRates() {
    GoldenCase g = GoldenCase.of("meta/meta_sgd");
    MetaSgd learner = new MetaSgd(net.loss, net.loss, net.steps, net.rate);
    Tree<Expr> rates =
        Tree.ofPaths(net.leaves)
            .mapPaths((path, type) -> Expr.data(type, net.weight(g, "lr." + path)));
    int last = net.tasks - 1;
    Map<String, double[]> out =
        net.run(in -> {
          Tree<Expr> theta =
              Tree.<Expr>empty().with("weights", in.sub("theta")).with("rates", rates);
          Grad.Result r = Grad.valueAndGrad(w -> learner.metaLoss(w, in.sub("tasks")), theta);
          return Tree.of("loss", r.value())
              .with("gradient", r.gradient())
              .with("fast", learner.adapt(theta, GoldenNet.task(in.sub("tasks"), last).support()));
        });
    assertClose("loss", out.get("loss"), g.get("meta_loss"));
    for (String leaf : net.leaves.keySet()) {
      String fast = "t" + last + ".fast" + net.steps + "." + leaf;
      assertClose(leaf, out.get("fast/" + leaf), net.weight(g, fast));
      assertClose(leaf, out.get("gradient/weights/" + leaf), net.weight(g, "meta_grad." + leaf));
      assertClose(leaf, out.get("gradient/rates/" + leaf), net.weight(g, "lr_grad." + leaf));
    }
  }

  @Test
  void reptile() {
    GoldenCase g = GoldenCase.of("meta/reptile");
    // The rate is part of the arrays' names: theta_after_eps0.5.c0.w.
    String name = g.arrays("theta_after_eps").getFirst();
    int leafLength = net.leaves.keySet().iterator().next().length();
    String eps = name.substring(0, name.length() - leafLength - 1);
    double rate = Double.parseDouble(eps);
    Reptile learner = new Reptile(net.loss, net.steps, net.rate);
    Map<String, double[]> out =
        net.run(in -> {
          Tree<Expr> theta = in.sub("theta");
          Tree<Expr> gradient = Grad.grad(w -> learner.metaLoss(w, in.sub("tasks")), theta);
          Task<Expr> first = GoldenNet.task(in.sub("tasks"), 0);
          return Tree.<Expr>empty()
              .with("gradient", gradient)
              .with("phi", learner.adapt(theta, first.support()))
              .with("after", theta.zip(gradient, (w, d) -> w.sub(d.mul(rate))));
        });
    for (String leaf : net.leaves.keySet()) {
      assertClose(leaf, out.get("phi/" + leaf), net.weight(g, "t0.phi." + leaf));
      assertClose(leaf, out.get("gradient/" + leaf), net.weight(g, "meta_grad." + leaf));
      assertClose(
          leaf, out.get("after/" + leaf), net.weight(g, "theta_after_eps" + eps + "." + leaf));
    }
  }

  @Test
  void hessianVectorProduct() {
    GoldenCase g = GoldenCase.of("meta/hvp");
    Tree<Expr> v =
        Tree.ofPaths(net.leaves)
            .mapPaths((path, type) -> Expr.data(type, net.weight(g, "v." + path)));
    Map<String, double[]> out =
        net.run(in -> {
          Batch<Expr> support = GoldenNet.task(in.sub("tasks"), 0).support();
          Grad.Result first = Grad.valueAndGrad(w -> net.loss.of(w, support), in.sub("theta"));
          Tree<Expr> hv =
              Grad.grad(w -> dot(Grad.grad(u -> net.loss.of(u, support), w), v), in.sub("theta"));
          return Tree.of("loss", first.value()).with("g", first.gradient()).with("hv", hv);
        });
    assertClose("loss", out.get("loss"), g.get("loss"));
    for (String leaf : net.leaves.keySet()) {
      assertClose(leaf, out.get("g/" + leaf), net.weight(g, "g." + leaf));
      assertClose(leaf, out.get("hv/" + leaf), net.weight(g, "hv." + leaf));
    }
  }

  private static Expr dot(Tree<Expr> a, Tree<Expr> b) {
    Expr sum = Expr.scalar(0);
    for (Expr e : a.zip(b, (x, y) -> x.mul(y).sum()).leaves()) {
      sum = sum.add(e);
    }
    return sum;
  }

  @Test
  void sinusoidRegression() {
    GoldenCase g = GoldenCase.of("meta/sinusoid_maml");
    Loss loss = (w, b) -> Losses.mse(perceptron(w, b.x()), b.y());
    Maml maml = new Maml(loss, loss, g.count("inner_steps"), g.attr("inner_lr"), Order.SECOND);
    Map<String, Type> types = new LinkedHashMap<>();
    List<double[]> args = new ArrayList<>();
    Map<String, Type> leaves = g.weightTypes("theta.");
    leaves.forEach((leaf, type) -> {
      types.put("theta/" + leaf, type);
      args.add(g.weight("theta." + leaf));
    });
    String[][] data = {
      {"support/x", "sx"}, {"support/y", "sy"}, {"query/x", "qx"}, {"query/y", "qy"}
    };
    for (String[] d : data) {
      types.put("tasks/" + d[0], Type.f32(g.shape(d[1])));
      args.add(g.get(d[1]));
    }
    Program p =
        Program.trace(
            Tree.ofPaths(types),
            in -> {
              Grad.Result r =
                  Grad.valueAndGrad(w -> maml.metaLoss(w, in.sub("tasks")), in.sub("theta"));
              return r.gradient().with("loss", r.value());
            });
    List<double[]> out = Reference.evaluate(p.graph(), args);
    assertClose("loss", out.getLast(), g.get("meta_loss"));
    int i = 0;
    for (String leaf : leaves.keySet()) {
      assertClose(leaf, out.get(i++), g.weight("meta_grad." + leaf));
    }
  }

  private static Expr perceptron(Tree<Expr> w, Expr x) {
    Expr h = x;
    for (int i = 0; w.has("w" + i); i++) {
      h = (i == 0 ? h : h.relu()).matmul(w.get("w" + i)).add(w.get("b" + i));
    }
    return h;
  }
}
