package example;

import dev.vauban.adversarial.Attack;
import dev.vauban.adversarial.Linf;
import dev.vauban.adversarial.Pgd;
import dev.vauban.adversarial.Trades;
import dev.vauban.nn.Batch;
import dev.vauban.nn.Loss;
import dev.vauban.nn.Losses;
import dev.vauban.nn.Model;
import dev.vauban.nn.Models;
import dev.vauban.nn.Optimizers;
import dev.vauban.nn.Trainer;
import dev.vauban.nn.data.FewShotData;
import dev.vauban.nn.data.ImageSet;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import java.lang.foreign.ValueLayout;

/** An ordinary classifier of eight gratings, trained with or without a defence, then attacked. */
public final class Hardened {
  private static final Model NET = Models.named("conv4-strided-16", Shape.of(16, 16, 1), 8);
  private static final Attack PGD = new Pgd(new Linf(32 / 255.0), 5);

  /** No defence. */
  public static final Loss PLAIN = Loss.crossEntropy(NET);

  /** The clean loss, and predictions that the attack leaves as they are. */
  public static final Loss TRADES = new Trades(NET::logits, PGD, 6);

  private Hardened() {}

  /** Accuracy on unseen images of the same classes after so many steps: clean, attacked. */
  public static double[] train(Loss loss, int steps) {
    Tree<Type> seen = new Batch<>(Type.f32(64, 16, 16, 1), Type.i32(64)).tree();
    Tree<Type> unseen = new Batch<>(Type.f32(32, 16, 16, 1), Type.i32(32)).tree();
    try (FewShotData data = Gratings.open();
        Device device = Device.open("cpu");
        Scope scope = Scope.open();
        Trainer trainer =
            Trainer.compile(
                device,
                loss,
                Batch.of(seen),
                NET.init(scope, Key.of(1)),
                Optimizers.adam(0.003),
                Key.of(2))) {
      fill(trainer.batch(), data.test(), 0); // a larger set would bring other images each step
      while (trainer.number() < steps) {
        trainer.step();
      }
      Tree<Tensor> in = scope.tensors(unseen).with("w", trainer.weights());
      fill(in, data.test(), 8);
      try (Plan plan = device.compile(Program.trace(in.map(Tensor::type), Hardened::judge))) {
        Tree<Tensor> out = plan.run(scope, in);
        return new double[] {out.get("clean").get(0), out.get("attacked").get(0)};
      }
    }
  }

  private static Tree<Expr> judge(Tree<Expr> in) {
    Tree<Expr> w = in.sub("w");
    Expr x = in.get("x");
    Expr y = in.get("y");
    Expr key = Expr.data(Type.i32(2), 3, 4);
    Expr adv = PGD.perturb(z -> Losses.crossEntropy(NET.logits(w, z), y), x, key);
    return Tree.of(
        "clean", Losses.accuracy(NET.logits(w, x), y),
        "attacked", Losses.accuracy(NET.logits(w, adv), y));
  }

  /** Writes images of every class, as many as the batch holds; 5 is prime to 12: all phases mix. */
  private static void fill(Tree<Tensor> batch, ImageSet set, int first) {
    Tensor labels = batch.get("y");
    for (int n = 0; n < labels.size(); n++) {
      int label = n % set.classCount();
      labels.set(n, label);
      byte[] pixels =
          set.image(set.imageOf(label, 5 * (first + n / set.classCount()) % 12))
              .toArray(ValueLayout.JAVA_BYTE);
      for (int p = 0; p < pixels.length; p++) {
        batch.get("x").set((long) n * pixels.length + p, (pixels[p] & 0xFF) / 255.0);
      }
    }
  }
}
