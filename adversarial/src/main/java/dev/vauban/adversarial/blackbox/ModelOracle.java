package dev.vauban.adversarial.blackbox;

import dev.vauban.adversarial.Classifier;
import dev.vauban.tensor.Binding;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A network of Vauban as an oracle of scores. Shapes of plans are fixed, so there is one for each
 * power of two up to the largest batch, compiled when first needed; a call runs the smallest that
 * holds it, filled up with any images.
 *
 * <p>The classifier must judge each image on its own: one with batch norms needs fixed statistics
 * ({@link dev.vauban.nn.BatchStatistics#logits}).
 */
public final class ModelOracle implements Oracle {
  private final Device device;
  private final Shape image;
  private final int classes;
  private final int largestBatch;
  private final Classifier classifier;
  private final Scope scope = Scope.open();
  private final Tree<Tensor> weights;
  private final SortedMap<Integer, Sized> plans = new TreeMap<>();

  /** The plan of one batch size. */
  private record Sized(Plan plan, Plan.Bound bound, Tensor x, Tensor logits) {}

  /**
   * An oracle; compiles when asked.
   *
   * @param device where it runs; must stay open
   * @param image shape of one image, [H,W,C]
   * @param classes number of classes
   * @param weights what the classifier is given, copied
   * @param largestBatch the most images of one call
   */
  public ModelOracle(
      Device device,
      Shape image,
      int classes,
      Tree<Tensor> weights,
      Classifier classifier,
      int largestBatch) {
    this.device = device;
    this.image = image;
    this.classes = classes;
    this.largestBatch = largestBatch;
    this.classifier = classifier;
    this.weights = scope.tensors(weights.map(Tensor::type));
    Binding.check("weights", this.weights.map(Tensor::type), weights);
    this.weights.mapPaths((path, t) -> t.copyFrom(weights.get(path)));
  }

  @Override
  public Reply reply() {
    return Reply.SCORES;
  }

  @Override
  public Shape image() {
    return image;
  }

  @Override
  public int classes() {
    return classes;
  }

  @Override
  public int largestBatch() {
    return largestBatch;
  }

  @Override
  public Answers ask(float[][] images) {
    int size = Math.min(largestBatch, Integer.highestOneBit(2 * images.length - 1));
    Sized sized = plans.computeIfAbsent(size, this::compile);
    int pixels = (int) image.size();
    MemorySegment batch = sized.x.segment(); // images of an earlier call may follow; no one asks
    for (int i = 0; i < images.length; i++) {
      MemorySegment.copy(images[i], 0, batch, ValueLayout.JAVA_FLOAT, 4L * i * pixels, pixels);
    }
    sized.bound.run();
    float[] logits = sized.logits.toFloats();
    double[][] scores = new double[images.length][classes];
    for (int i = 0; i < scores.length; i++) {
      for (int c = 0; c < classes; c++) {
        scores[i][c] = logits[i * classes + c];
      }
    }
    return Answers.ofScores(scores);
  }

  private Sized compile(int size) {
    Type x = Type.f32(image.insert(0, size).dims());
    Program program =
        Program.trace(
            Tree.<Type>empty().with("weights", weights.map(Tensor::type)).with("x", x),
            in -> Tree.of("logits", classifier.logits(in.sub("weights"), in.get("x"))));
    Plan plan = device.compile(program);
    Tensor images = scope.tensor(x);
    Tensor logits = scope.tensor(program.outputs().get("logits"));
    Tree<Tensor> inputs = Tree.<Tensor>empty().with("weights", weights).with("x", images);
    return new Sized(plan, plan.bind(inputs, Tree.of("logits", logits)), images, logits);
  }

  /** Frees the plans. */
  @Override
  public void close() {
    plans.values().forEach(sized -> sized.plan.close());
    plans.clear();
    scope.close();
  }
}
