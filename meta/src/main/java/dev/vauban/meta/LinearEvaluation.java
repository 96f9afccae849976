package dev.vauban.meta;

import dev.vauban.adversarial.Attack;
import dev.vauban.adversarial.AttackLoss;
import dev.vauban.nn.Batch;
import dev.vauban.nn.Layers;
import dev.vauban.nn.Losses;
import dev.vauban.nn.Model;
import dev.vauban.nn.Optimizers;
import dev.vauban.nn.TrainingStep;
import dev.vauban.nn.Weight;
import dev.vauban.nn.data.ImageSet;
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
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Robust linear evaluation: the encoder is frozen, a linear classifier of some classes is trained
 * on attacked features of a part of their images, and judged on the others, clean and under attack
 * (RoCL, Kim et al. 2020, <a href="https://arxiv.org/abs/2006.07589">arXiv 2006.07589</a>, section
 * 5). With classes of another data set it measures how robust features transfer.
 *
 * <p>Attacks go through encoder and head. Batches are normalised by their own statistics, like
 * everywhere here; the last, incomplete batch of the judged images is left out.
 *
 * @param clean accuracy on held-out images, 0 to 1
 * @param robust the same under the judging attack
 * @param images how many were judged
 */
public record LinearEvaluation(double clean, double robust, int images) {
  /**
   * How to evaluate.
   *
   * @param classes how many classes, the first of the set in an order drawn by the key; at least 2
   * @param batch images of a step and of a judged batch, at least 1
   * @param steps of training the head, at least 1
   * @param rate Adam's step size
   * @param training the attack in training
   * @param judging the attack in the test
   * @param loss what it raises
   */
  public record Setting(
      int classes,
      int batch,
      int steps,
      double rate,
      Attack training,
      Attack judging,
      AttackLoss loss) {
    /** A setting whose judging attack raises the cross-entropy. */
    public Setting(
        int classes, int batch, int steps, double rate, Attack training, Attack judging) {
      this(classes, batch, steps, rate, training, judging, AttackLoss.CROSS_ENTROPY);
    }

    /** Checks the ranges. */
    public Setting {
      if (classes < 2 || batch < 1 || steps < 1 || !(rate > 0)) {
        throw new IllegalArgumentException(
            "a linear evaluation needs at least 2 classes, a batch and a step of at least 1 and a"
                + " rate above 0, not %d, %d, %d, %s".formatted(classes, batch, steps, rate));
      }
    }
  }

  private record Labelled(int image, int label) {}

  /**
   * Evaluates; three quarters of each class's images train the head, the rest is judged.
   *
   * @param learner which weights the meta-parameters stand for
   * @param theta the meta-parameters
   * @param set where classes come from; must stay open
   * @param key of the choice of classes, the head's start, the batches and the attacks
   */
  public static LinearEvaluation of(
      Device device,
      MetaLearner learner,
      Model model,
      Tree<Tensor> theta,
      ImageSet set,
      Setting setting,
      Key key) {
    int classes = Math.min(setting.classes(), set.classCount());
    List<Labelled> train = new ArrayList<>();
    List<Labelled> test = new ArrayList<>();
    int[] order = key.fold(0).permutation(set.classCount());
    for (int label = 0; label < classes; label++) {
      int[] images = set.imagesOf(order[label]);
      int cut = Math.max(1, images.length * 3 / 4);
      for (int i = 0; i < images.length; i++) {
        (i < cut ? train : test).add(new Labelled(images[i], label));
      }
    }
    Model whole = model.withHead(Layers.linear(classes));
    try (Scope scope = Scope.open()) {
      Tree<Tensor> inputs =
          Tree.of(
                  "images",
                  Tensor.over(scope, new Type(DType.U8, set.blockShape()), set.pixels()),
                  "batch",
                  scope.tensor(Type.i32(setting.batch())),
                  "labels",
                  scope.tensor(Type.i32(setting.batch())))
              .with("theta", theta);
      Tree<Tensor> head =
          Weight.init(Layers.linear(classes).weights(flat(model)), scope, key.fold(1));
      try (TrainingStep step =
          TrainingStep.compile(
              device,
              (w, in, k) -> slope(learner, whole, setting.training(), w, in, k),
              TrainingStep.Inputs.of(inputs)
                  .fixing("images", "theta")
                  .from(s -> fill(inputs, train, key.fold(3), s * setting.batch())),
              head,
              Optimizers.adam(setting.rate()),
              key.fold(2))) {
        for (int s = 0; s < setting.steps(); s++) {
          step.run();
        }
        return judge(device, learner, whole, setting, inputs, step.weights(), test, key.fold(4));
      }
    }
  }

  private static Shape flat(Model model) {
    return Shape.of((int) model.featureShape().size());
  }

  private static TrainingStep.Slope slope(
      MetaLearner learner, Model model, Attack attack, Tree<Expr> head, Tree<Expr> in, Expr key) {
    Expr x = pixels(in);
    Expr y = in.get("labels");
    Tree<Expr> body = body(learner, in, x, y, key);
    Expr adv =
        attack.perturb(z -> Losses.crossEntropy(logits(model, body, head, z), y).mean(), x, key);
    Grad.Result g =
        Grad.valueAndGrad(w -> Losses.crossEntropy(logits(model, body, w, adv), y).mean(), head);
    return new TrainingStep.Slope(g.gradient(), Tree.of("loss", g.value()));
  }

  private static LinearEvaluation judge(
      Device device,
      MetaLearner learner,
      Model model,
      Setting setting,
      Tree<Tensor> inputs,
      Tree<Tensor> head,
      List<Labelled> test,
      Key key) {
    Tree<Type> types =
        inputs.map(Tensor::type).with("head", head.map(Tensor::type)).with("key", Type.i32(2));
    Program program =
        Program.trace(
            types,
            in -> {
              Expr x = pixels(in);
              Expr y = in.get("labels");
              Tree<Expr> body = body(learner, in, x, y, in.get("key"));
              Tree<Expr> w = in.sub("head");
              Expr adv =
                  setting
                      .judging()
                      .perturb(
                          z -> setting.loss().of(logits(model, body, w, z), y), x, in.get("key"));
              return Tree.of(
                  "clean", Losses.correct(logits(model, body, w, x), y).sum(),
                  "robust", Losses.correct(logits(model, body, w, adv), y).sum());
            });
    double clean = 0;
    double robust = 0;
    int batches = test.size() / setting.batch();
    if (batches == 0) {
      throw new IllegalArgumentException(
          "a batch of %d is more than the %d images to judge"
              .formatted(setting.batch(), test.size()));
    }
    try (Scope scope = Scope.open();
        Plan plan = device.compile(program)) {
      Tree<Tensor> out = scope.tensors(program.outputs());
      Tensor random = scope.key(key);
      try (Plan.Sequence sequence =
          plan.sequence(
              inputs.with("key", random), out, new Plan.Kept("head", Set.of("images", "theta")))) {
        sequence.set(head);
        for (int b = 0; b < batches; b++) {
          fill(inputs, test, key.fold(-1), (long) b * setting.batch());
          Key own = key.fold(b);
          random.set((double) own.k0(), own.k1());
          sequence.start();
          sequence.finish();
          clean += out.get("clean").get(0);
          robust += out.get("robust").get(0);
        }
      }
    }
    int judged = batches * setting.batch();
    return new LinearEvaluation(clean / judged, robust / judged, judged);
  }

  /** Images {@code first} and following of an endless list of random orders of all of them. */
  private static void fill(Tree<Tensor> inputs, List<Labelled> from, Key key, long first) {
    int n = from.size();
    long epoch = -1;
    int[] order = {};
    for (int i = 0; i < inputs.get("batch").size(); i++) {
      if ((first + i) / n != epoch) {
        epoch = (first + i) / n;
        order = key.fold(epoch).permutation(n);
      }
      Labelled one = from.get(order[(int) ((first + i) % n)]);
      inputs.get("batch").set(i, one.image());
      inputs.get("labels").set(i, one.label());
    }
  }

  private static Expr pixels(Tree<Expr> in) {
    return in.get("images").gather(0, in.get("batch")).cast(DType.F32).div(255);
  }

  private static Tree<Expr> body(MetaLearner learner, Tree<Expr> in, Expr x, Expr y, Expr key) {
    Expr none = Expr.fill(y.type(), 0);
    return learner.weights(learner.start(in.sub("theta"), new Batch<>(x, none, key)));
  }

  private static Expr logits(Model model, Tree<Expr> body, Tree<Expr> head, Expr x) {
    Expr f = model.features(body, x).reshape(x.shape().dim(0), -1);
    return model.classify(Tree.of("head", head), f);
  }
}
