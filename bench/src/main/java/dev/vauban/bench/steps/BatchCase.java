package dev.vauban.bench.steps;

import dev.vauban.adversarial.Apgd;
import dev.vauban.adversarial.Linf;
import dev.vauban.adversarial.Pgd;
import dev.vauban.bench.peers.BatchStep.Network;
import dev.vauban.nn.Conv4;
import dev.vauban.nn.Model;
import dev.vauban.nn.ResNet;
import dev.vauban.tensor.Precision;
import dev.vauban.tensor.Shape;
import java.util.List;

/**
 * An attack on a batch of images to time, or a step of adversarial training: PGD in the ball of
 * radius 8/255 with steps of 2/255 from a given start, or APGD in the same ball.
 *
 * @param name for {@code --only}
 * @param title for tables
 * @param network its architecture
 * @param goal what is done
 * @param image shape of an image
 * @param width filters of the network's first convolution
 * @param images in the batch
 * @param steps of the attack
 * @param precision of its large products
 */
public record BatchCase(
    String name,
    String title,
    Network network,
    Goal goal,
    Shape image,
    int width,
    int images,
    int steps,
    Precision precision)
    implements BenchCase {
  static final int CLASSES = 10;
  static final double EPS = 8 / 255.0;
  static final double STEP = 2 / 255.0;
  private static final int CHECKED_STEPS = 10;
  private static final Shape IMAGE = Shape.of(32, 32, 3);

  /** What is done with the images. */
  public enum Goal {
    /** They are attacked, batch norm folded into the convolutions. */
    ATTACK,
    /** The same by APGD. */
    AUTO_ATTACK,
    /** They are attacked as one batch and the weights are updated once, with batch statistics. */
    TRAIN
  }

  /** What is timed on cards: two attacks on one network. */
  public static List<BatchCase> onCards() {
    BatchCase pgd =
        all().stream().filter(c -> c.name().equals("pgd20-resnet18")).findFirst().orElseThrow();
    BatchCase apgd =
        new BatchCase(
            "apgd100-resnet18",
            "APGD-100 as in AutoAttack, 256 images 32x32x3, ResNet-18 folded",
            pgd.network(),
            Goal.AUTO_ATTACK,
            pgd.image(),
            pgd.width(),
            pgd.images(),
            100,
            pgd.precision());
    return List.of(pgd, apgd);
  }

  /** All cases of the processor's tables. */
  public static List<BatchCase> all() {
    return List.of(
        new BatchCase(
            "pgd20-conv4",
            "PGD-20, 256 images 32x32x3, Conv4-64 folded",
            Network.CONV4,
            Goal.ATTACK,
            IMAGE,
            64,
            256,
            20,
            Precision.F32),
        new BatchCase(
            "pgd20-resnet18",
            "PGD-20, 256 images 32x32x3, ResNet-18 folded",
            Network.RESNET18,
            Goal.ATTACK,
            IMAGE,
            64,
            256,
            20,
            Precision.F32),
        new BatchCase(
            "at-resnet18",
            "Adversarial training, PGD-7, 64 images 32x32x3, ResNet-18",
            Network.RESNET18,
            Goal.TRAIN,
            IMAGE,
            64,
            64,
            7,
            Precision.F32));
  }

  @Override
  public BatchCase in(Precision other) {
    return new BatchCase(name, title, network, goal, image, width, images, steps, other);
  }

  /**
   * With 8 filters; in bf16 with 16, from which on products are rounded. Two steps; of APGD as many
   * as have checkpoints two steps and one step apart.
   */
  @Override
  public BatchCase small() {
    Shape few = Shape.of(16, 16, image.dim(2));
    int filters = precision == Precision.F32 ? 8 : 16;
    int least = goal == Goal.AUTO_ATTACK ? CHECKED_STEPS : 2;
    return new BatchCase(name + "-small", title, network, goal, few, filters, 4, least, precision);
  }

  /** With one step of the attack. */
  @Override
  public BatchCase trial() {
    return new BatchCase(name + "-trial", title, network, goal, image, width, images, 1, precision);
  }

  @Override
  public BoundBatch bind(int threads) {
    return new BoundBatch(this, threads);
  }

  Model model() {
    return switch (network) {
      case CONV4 -> Conv4.maxPooled(image, width, CLASSES);
      case RESNET18 -> ResNet.eighteen(image, width, CLASSES);
    };
  }

  Apgd apgd() {
    return new Apgd(new Linf(EPS), steps);
  }

  Pgd pgd() {
    return new Pgd(new Linf(EPS), STEP, steps);
  }
}
