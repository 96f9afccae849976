package dev.vauban.meta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.vauban.adversarial.AdversarialTraining;
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

  private static Maml maml(Loss outer, Order order, Leaves adapted) {
    return new Maml(GoldenNet.LOSS, outer, GoldenNet.STEPS, GoldenNet.RATE, order, adapted);
  }

  /** Everything that the case records of a MAML-like learner. */
  private void check(String name, MetaLearner learner, Leaves adapted) {
    GoldenCase g = GoldenCase.of(name);
    Map<String, double[]> out = net.run(in -> trace(learner, in.sub("theta"), in.sub("tasks")));
    for (int t = 0; t < 2; t++) {
      for (int k = 1; k <= GoldenNet.STEPS; k++) {
        for (String leaf : GoldenNet.LEAVES.keySet()) {
          if (adapted.contain(leaf)) {
            String path = "t" + t + "/fast" + k + "/" + leaf;
            assertClose(path, out.get(path), GoldenNet.weight(g, path));
          } else {
            String path = "t" + t + "/fast" + k + "/" + leaf;
            double[] theta = GoldenNet.weight(net.setup, "theta." + leaf);
            assertThat(out.get(path)).as("%s stays", path).isEqualTo(theta);
          }
        }
      }
      String task = "t" + t;
      assertClose("inner losses", out.get(task + "/inner"), g.get(task + ".inner_losses"));
      assertClose("logits", out.get(task + "/logits"), g.get(task + ".query_logits"));
    }
    assertClose("meta loss", out.get("loss"), g.get("meta_loss"));
    for (String leaf : GoldenNet.LEAVES.keySet()) {
      assertClose(leaf, out.get("gradient/" + leaf), GoldenNet.weight(g, "meta_grad." + leaf));
    }
  }

  private static Tree<Expr> trace(MetaLearner learner, Tree<Expr> theta, Tree<Expr> tasks) {
    Tree<Expr> out = Tree.empty();
    for (int t = 0; t < 2; t++) {
      Task<Expr> task = GoldenNet.task(tasks, t);
      Tree<Expr> fast = learner.start(theta);
      Tree<Expr> of = Tree.empty();
      List<Expr> losses = new ArrayList<>();
      for (int k = 1; k <= GoldenNet.STEPS; k++) {
        losses.add(GoldenNet.LOSS.of(fast, task.support()).reshape(1));
        fast = learner.step(theta, fast, task.support());
        of = of.with("fast" + k, fast);
      }
      of = of.with("inner", Expr.concat(0, losses.toArray(Expr[]::new)));
      out = out.with("t" + t, of.with("logits", GoldenNet.logits(fast, task.query().x())));
    }
    Grad.Result r = Grad.valueAndGrad(w -> learner.metaLoss(w, tasks), theta);
    return out.with("loss", r.value()).with("gradient", r.gradient());
  }

  @Test
  void maml() {
    check("meta/maml", maml(GoldenNet.LOSS, Order.SECOND, Leaves.ALL), Leaves.ALL);
  }

  @Test
  void firstOrderMaml() {
    check("meta/fomaml", maml(GoldenNet.LOSS, Order.FIRST, Leaves.ALL), Leaves.ALL);
  }

  @Test
  void anil() {
    Leaves head = Leaves.only("head");
    check("meta/anil", maml(GoldenNet.LOSS, Order.SECOND, head), head);
  }

  @Test
  void firstOrderAnil() {
    Leaves head = Leaves.only("head");
    check("meta/anil_first_order", maml(GoldenNet.LOSS, Order.FIRST, head), head);
  }

  @Test
  void boil() {
    Leaves body = Leaves.except("head");
    check("meta/boil", maml(GoldenNet.LOSS, Order.SECOND, body), body);
  }

  @Test
  void robustMaml() {
    GoldenCase g = GoldenCase.of("meta/rmaml_fgsm");
    Loss outer =
        RobustLosses.regularised(
            GoldenNet.LOSS, GoldenNet.unclippedFgsm(g.attr("attack.eps")), g.attr("attack.w"));
    check("meta/rmaml_fgsm", maml(outer, Order.SECOND, Leaves.ALL), Leaves.ALL);
  }

  @Test
  void adversarialImagesAreMadeAtTheAdaptedWeights() {
    GoldenCase g = GoldenCase.of("meta/rmaml_fgsm");
    AdversarialTraining training =
        new AdversarialTraining(GoldenNet.unclippedFgsm(g.attr("attack.eps")));
    Maml maml = maml(GoldenNet.LOSS, Order.SECOND, Leaves.ALL);
    Map<String, double[]> out =
        net.run(in -> {
          Tree<Expr> r = Tree.empty();
          for (int t = 0; t < 2; t++) {
            Task<Expr> task = GoldenNet.task(in.sub("tasks"), t);
            Tree<Expr> fast = maml.adapt(in.sub("theta"), task.support());
            Expr adv = training.images(GoldenNet.LOSS, fast, task.query());
            r = r.with("x" + t, adv);
            r = r.with("l" + t, GoldenNet.LOSS.of(fast, task.query().withX(adv)));
          }
          return r;
        });
    for (int t = 0; t < 2; t++) {
      assertClose("images", out.get("x" + t), g.images("t" + t + ".xq_adv"));
      assertClose("loss", out.get("l" + t), g.get("t" + t + ".adv_query_loss"));
    }
  }

  @Test
  void adversarialQuerying() {
    GoldenCase g = GoldenCase.of("meta/aq_fgsm");
    Loss outer =
        new AdversarialTraining(GoldenNet.unclippedFgsm(g.attr("attack.eps")))
            .apply(GoldenNet.LOSS);
    check("meta/aq_fgsm", maml(outer, Order.SECOND, Leaves.ALL), Leaves.ALL);
  }

  @Test
  void multiStepLoss() {
    Maml maml = maml(GoldenNet.LOSS, Order.SECOND, Leaves.ALL);
    check("meta/mamlpp_msl", new MultiStepMaml(maml, List.of(0.2, 0.3, 0.5)), Leaves.ALL);
  }

  @Test
  void metaSgdLearnsItsRates() {
    GoldenCase g = GoldenCase.of("meta/meta_sgd");
    MetaSgd learner = new MetaSgd(GoldenNet.LOSS, GoldenNet.LOSS, GoldenNet.STEPS, 0.1);
    Tree<Expr> rates =
        Tree.ofPaths(GoldenNet.LEAVES)
            .mapPaths((path, type) -> Expr.data(type, GoldenNet.weight(g, "lr." + path)));
    Map<String, double[]> out =
        net.run(in -> {
          Tree<Expr> theta =
              Tree.<Expr>empty().with("weights", in.sub("theta")).with("rates", rates);
          Grad.Result r = Grad.valueAndGrad(w -> learner.metaLoss(w, in.sub("tasks")), theta);
          return Tree.of("loss", r.value())
              .with("gradient", r.gradient())
              .with("fast", learner.adapt(theta, GoldenNet.task(in.sub("tasks"), 1).support()));
        });
    assertClose("loss", out.get("loss"), g.get("meta_loss"));
    for (String leaf : GoldenNet.LEAVES.keySet()) {
      assertClose(leaf, out.get("fast/" + leaf), GoldenNet.weight(g, "t1.fast3." + leaf));
      assertClose(
          leaf, out.get("gradient/weights/" + leaf), GoldenNet.weight(g, "meta_grad." + leaf));
      assertClose(leaf, out.get("gradient/rates/" + leaf), GoldenNet.weight(g, "lr_grad." + leaf));
    }
  }

  @Test
  void reptile() {
    GoldenCase g = GoldenCase.of("meta/reptile");
    Reptile learner = new Reptile(GoldenNet.LOSS, GoldenNet.STEPS, GoldenNet.RATE);
    Map<String, double[]> out =
        net.run(in -> {
          Tree<Expr> theta = in.sub("theta");
          Tree<Expr> gradient = Grad.grad(w -> learner.metaLoss(w, in.sub("tasks")), theta);
          Task<Expr> first = GoldenNet.task(in.sub("tasks"), 0);
          return Tree.<Expr>empty()
              .with("gradient", gradient)
              .with("phi", learner.adapt(theta, first.support()))
              .with("after", theta.zip(gradient, (w, d) -> w.sub(d.mul(0.5))));
        });
    for (String leaf : GoldenNet.LEAVES.keySet()) {
      assertClose(leaf, out.get("phi/" + leaf), GoldenNet.weight(g, "t0.phi." + leaf));
      assertClose(leaf, out.get("gradient/" + leaf), GoldenNet.weight(g, "meta_grad." + leaf));
      // A case name with a dot inside: theta_after_eps0.5.c0.w.
      String after = "theta_after_eps0.5." + leaf.replace('/', '.');
      assertClose(leaf, out.get("after/" + leaf), g.weight(after, 6, 3, 3));
    }
  }

  @Test
  void hessianVectorProduct() {
    GoldenCase g = GoldenCase.of("meta/hvp");
    Tree<Expr> v =
        Tree.ofPaths(GoldenNet.LEAVES)
            .mapPaths((path, type) -> Expr.data(type, GoldenNet.weight(g, "v." + path)));
    Map<String, double[]> out =
        net.run(in -> {
          Batch<Expr> support = GoldenNet.task(in.sub("tasks"), 0).support();
          Grad.Result first =
              Grad.valueAndGrad(w -> GoldenNet.LOSS.of(w, support), in.sub("theta"));
          Tree<Expr> hv =
              Grad.grad(
                  w -> dot(Grad.grad(u -> GoldenNet.LOSS.of(u, support), w), v), in.sub("theta"));
          return Tree.of("loss", first.value()).with("g", first.gradient()).with("hv", hv);
        });
    assertClose("loss", out.get("loss"), g.get("loss"));
    for (String leaf : GoldenNet.LEAVES.keySet()) {
      assertClose(leaf, out.get("g/" + leaf), GoldenNet.weight(g, "g." + leaf));
      assertClose(leaf, out.get("hv/" + leaf), GoldenNet.weight(g, "hv." + leaf));
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
    Maml maml = new Maml(loss, loss, (int) g.attr("inner_steps"), g.attr("inner_lr"), Order.SECOND);
    Map<String, Type> types = new LinkedHashMap<>();
    List<double[]> args = new ArrayList<>();
    for (String leaf : List.of("w0", "b0", "w1", "b1", "w2", "b2")) {
      int[] s = g.shape("theta." + leaf);
      types.put("theta/" + leaf, s.length == 2 ? Type.f32(s[1], s[0]) : Type.f32(s));
      args.add(g.weight("theta." + leaf));
    }
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
    assertClose("loss", out.get(6), g.get("meta_loss"));
    int i = 0;
    for (String leaf : List.of("w0", "b0", "w1", "b1", "w2", "b2")) {
      assertClose(leaf, out.get(i++), g.weight("meta_grad." + leaf));
    }
  }

  private static Expr perceptron(Tree<Expr> w, Expr x) {
    Expr h = x.matmul(w.get("w0")).add(w.get("b0")).relu();
    h = h.matmul(w.get("w1")).add(w.get("b1")).relu();
    return h.matmul(w.get("w2")).add(w.get("b2"));
  }
}
