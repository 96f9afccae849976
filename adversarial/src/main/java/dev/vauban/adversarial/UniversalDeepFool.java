package dev.vauban.adversarial;

import dev.vauban.nn.Model;
import dev.vauban.tensor.DType;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Grad;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import dev.vauban.tensor.Vmap;
import java.util.List;

/**
 * One perturbation for many images, by the algorithm that named it (Moosavi-Dezfooli et al. 2017,
 * <a href="https://arxiv.org/abs/1610.08401">arXiv 1610.08401</a>, algorithm 1): go over the
 * images, and where the perturbation so far does not change the network's answer, add the smallest
 * change that does, found by DeepFool (Moosavi-Dezfooli et al. 2016, <a
 * href="https://arxiv.org/abs/1511.04599">arXiv 1511.04599</a>, algorithm 2, in L2), and project to
 * the L-infinity ball. Perturbed images are not clipped to [0,1] here; {@link
 * UniversalPerturbation#applied} does that where the perturbation is judged.
 *
 * @param eps bound of each pixel's change, in (0,1]
 * @param overshoot by which share DeepFool goes beyond the boundary; 0.02 in the papers
 * @param steps of DeepFool for one image, at least 1; 50 in the papers
 * @param passes over the images at most, at least 1
 * @param enough share of images fooled at which to stop, in (0,1]; 0.8 in the paper
 */
public record UniversalDeepFool(
    double eps, double overshoot, int steps, int passes, double enough) {
  /** Checks the ranges. */
  public UniversalDeepFool {
    if (!(eps > 0 && eps <= 1)
        || !(overshoot >= 0)
        || steps < 1
        || passes < 1
        || !(enough > 0 && enough <= 1)) {
      throw new IllegalArgumentException(
          ("DeepFool's universal perturbation needs eps and enough in (0,1], overshoot of at least"
                  + " 0, at least 1 step and 1 pass, not %s, %s, %s, %d, %d")
              .formatted(eps, enough, overshoot, steps, passes));
    }
  }

  /** The papers' settings: overshoot 0.02, 50 steps, at most 10 passes, 80% fooled. */
  public static UniversalDeepFool of(double eps) {
    return new UniversalDeepFool(eps, 0.02, 50, 10, 0.8);
  }

  /**
   * The perturbation.
   *
   * @param device where the network runs
   * @param model to fool
   * @param weights its weights
   * @param images [H,W,C] each, in [0,1]
   * @return [H,W,C]
   */
  public float[] perturbation(
      Device device, Model model, Tree<Tensor> weights, List<float[]> images) {
    Type image = new Type(DType.F32, model.input());
    int classes = model.outputShape().dim(-1);
    Program program =
        Program.trace(
            Tree.of("image", image).with("weights", model.types()),
            in -> linearised(model, classes, in));
    try (Scope scope = Scope.open();
        Plan plan = device.compile(program)) {
      Tensor input = scope.tensor(image);
      Tree<Tensor> out = scope.tensors(program.outputs());
      Plan.Bound bound = plan.bind(Tree.of("image", input).with("weights", weights), out);
      return new Search(input, out, bound, classes).over(images);
    }
  }

  /** {@code logits} [K] and their {@code gradients} [K,H,W,C] at an image. */
  private static Tree<Expr> linearised(Model model, int classes, Tree<Expr> in) {
    Tree<Expr> weights = in.sub("weights");
    Expr x = in.get("image");
    Expr numbers = Expr.iota(new Type(DType.I32, Shape.of(classes)), 0);
    Tree<Expr> gradients =
        Vmap.vmap(
            k ->
                Grad.grad(
                    v ->
                        logits(model, weights, v.value())
                            .mul(
                                Expr.iota(new Type(DType.I32, Shape.of(classes)), 0)
                                    .eq(k.value())
                                    .cast(DType.F32))
                            .sum(),
                    Tree.leaf(x)),
            Tree.leaf(numbers));
    return Tree.of("logits", logits(model, weights, x), "gradients", gradients.value());
  }

  private static Expr logits(Model model, Tree<Expr> weights, Expr image) {
    Expr batch = image.reshape(image.shape().prepend(1).dims());
    return model.logits(weights, batch).reshape(model.outputShape().dim(-1));
  }

  /** Algorithm 1, with the linearised network at hand. */
  private final class Search {
    private final Tensor input;
    private final Tree<Tensor> out;
    private final Plan.Bound bound;
    private final int classes;

    Search(Tensor input, Tree<Tensor> out, Plan.Bound bound, int classes) {
      this.input = input;
      this.out = out;
      this.bound = bound;
      this.classes = classes;
    }

    float[] over(List<float[]> images) {
      float[] v = new float[Math.toIntExact(input.shape().size())];
      int[] answers = images.stream().mapToInt(x -> answer(x, new float[v.length])).toArray();
      for (int pass = 0; pass < passes && fooled(images, answers, v) < enough; pass++) {
        for (int i = 0; i < answers.length; i++) {
          if (answer(images.get(i), v) == answers[i]) { // line 6
            float[] smallest = deepFool(images.get(i), v, answers[i]);
            for (int p = 0; p < v.length; p++) { // line 8
              v[p] = (float) Math.max(-eps, Math.min(eps, v[p] + smallest[p]));
            }
          }
        }
      }
      return v;
    }

    private double fooled(List<float[]> images, int[] answers, float[] v) {
      int fooled = 0;
      for (int i = 0; i < answers.length; i++) {
        fooled += answer(images.get(i), v) == answers[i] ? 0 : 1;
      }
      return fooled / (double) answers.length;
    }

    /** The class of an image with a change. */
    private int answer(float[] image, float[] change) {
      for (int p = 0; p < image.length; p++) {
        input.set(p, image[p] + change[p]);
      }
      bound.run();
      float[] logits = out.get("logits").toFloats();
      int best = 0;
      for (int k = 1; k < classes; k++) {
        best = logits[k] > logits[best] ? k : best;
      }
      return best;
    }

    /** About the smallest change in L2, beyond {@code v}, that turns the answer. */
    private float[] deepFool(float[] image, float[] v, int truth) {
      float[] total = new float[image.length];
      float[] change = v.clone();
      for (int step = 0; step < steps && answer(image, change) == truth; step++) {
        addStep(total, truth);
        for (int p = 0; p < change.length; p++) {
          change[p] = (float) (v[p] + (1 + overshoot) * total[p]);
        }
      }
      for (int p = 0; p < total.length; p++) {
        total[p] = change[p] - v[p];
      }
      return total;
    }

    /** Adds the step to the nearest boundary of the network, linearised where it last ran. */
    private void addStep(float[] total, int truth) {
      float[] logits = out.get("logits").toFloats();
      float[] gradients = out.get("gradients").toFloats();
      int size = total.length;
      int nearest = -1;
      double least = Double.POSITIVE_INFINITY;
      double scale = 0;
      for (int k = 0; k < classes; k++) {
        double squares = 0;
        for (int p = 0; p < size; p++) {
          double w = gradients[k * size + p] - gradients[truth * size + p];
          squares += w * w;
        }
        double gap = Math.abs(logits[k] - logits[truth]) + 1e-6; // beyond a tie
        if (k != truth && squares > 0 && gap / Math.sqrt(squares) < least) {
          least = gap / Math.sqrt(squares);
          nearest = k;
          scale = gap / squares;
        }
      }
      for (int p = 0; nearest >= 0 && p < size; p++) {
        total[p] += (float) (scale * (gradients[nearest * size + p] - gradients[truth * size + p]));
      }
    }
  }
}
