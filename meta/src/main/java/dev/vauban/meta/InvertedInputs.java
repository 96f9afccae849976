package dev.vauban.meta;

import static dev.vauban.tensor.Vmap.repeat;

import dev.vauban.adversarial.Attack;
import dev.vauban.nn.Batch;
import dev.vauban.nn.Model;
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
import java.util.ArrayList;
import java.util.List;

/**
 * Neuron activation maps: inputs that maximise one feature each, which show what the network sees
 * (R-MAML, Wang et al. 2021, <a href="https://arxiv.org/abs/2102.10454">arXiv 2102.10454</a>,
 * section 4.1 and its code; Engstrom et al. 2019). From a seed image, plain gradient ascent on the
 * feature's value, the image kept in [0,1]; robust networks are said to show strokes and shapes,
 * standard ones noise.
 *
 * <p>As in the released code: the seed is a constant grey of 0.2 plus noise of deviation 1e-3, 1000
 * steps of 0.1 along the raw gradient, no bound on the change. Deviations: all neurons are inverted
 * as one batch, whose batch norms see them all (in the release each image is a batch of its own,
 * which a network that ends in a single position cannot bear); the noise is larger than the
 * release's 1e-6, since a batch of equal images has no variance to divide by.
 *
 * @param neurons which features, counted through the flattened ones
 * @param images [neurons][H*W*C], in [0,1]
 * @param change the same as |image - seed|, in [0,1]
 * @param lowShare the share of the change's spectral energy below a quarter of the highest
 *     frequency, for each neuron: structure is low-frequency, noise is not
 */
public record InvertedInputs(
    List<Integer> neurons, List<float[]> images, List<float[]> change, double[] lowShare) {
  private static final double GREY = 0.2;
  private static final double NOISE = 1e-3;

  /**
   * How to invert.
   *
   * @param steps of ascent, at least 1; 1000 in the release
   * @param rate step size along the raw gradient; 0.1 in the release
   */
  public record Ascent(int steps, double rate) {
    /** The release's. */
    public static final Ascent RELEASED = new Ascent(1000, 0.1);

    /** Checks the ranges. */
    public Ascent {
      if (steps < 1 || !(rate > 0)) {
        throw new IllegalArgumentException(
            "at least 1 step of a size above 0 is needed, not " + steps + " of " + rate);
      }
    }
  }

  /**
   * Inverts some features at the meta-parameters, before any adaptation.
   *
   * @param learner which weights the meta-parameters stand for
   * @param theta the meta-parameters
   * @param count how many features, spread evenly over all of them; at least 1
   * @param key of the noise
   */
  public static InvertedInputs of(
      Device device,
      MetaLearner learner,
      Model model,
      Tree<Tensor> theta,
      int count,
      Ascent ascent,
      Key key) {
    Shape image = model.input();
    int features = (int) model.featureShape().size();
    int n = Math.min(count, features);
    double[] which = new double[n];
    for (int i = 0; i < n; i++) {
      which[i] = Math.floorDiv((long) (2 * i + 1) * features, 2L * n);
    }
    Shape batch = image.insert(0, n);
    Tree<Type> types = Tree.of("key", Type.i32(2)).with("theta", theta.map(Tensor::type));
    Program program =
        Program.trace(
            types,
            in -> {
              Expr start = in.get("key").normal(batch).mul(NOISE).add(GREY).clamp(0, 1);
              Batch<Expr> none = new Batch<>(start, Expr.fill(Type.i32(n), 0), in.get("key"));
              Tree<Expr> w = learner.weights(learner.start(in.sub("theta"), none));
              Expr labels = Expr.data(Type.i32(n), which);
              Expr end =
                  repeat(
                      ascent.steps(),
                      start,
                      x -> {
                        Expr g = Attack.ascent(z -> chosen(model, w, z, labels), x);
                        return x.add(g.mul(ascent.rate())).clamp(0, 1);
                      });
              return Tree.of("start", start, "end", end);
            });
    try (Scope scope = Scope.open();
        Plan plan = device.compile(program)) {
      Tree<Tensor> out = plan.run(scope, Tree.of("key", scope.key(key)).with("theta", theta));
      return read(out, which, image);
    }
  }

  /** The chosen feature of each image, [n]. */
  private static Expr chosen(Model model, Tree<Expr> w, Expr x, Expr which) {
    Expr f = model.features(w, x).reshape(x.shape().dim(0), -1);
    Expr mask = which.oneHot(f.shape().dim(1)).cast(f.dtype());
    return f.mul(mask).sum(1);
  }

  private static InvertedInputs read(Tree<Tensor> out, double[] which, Shape image) {
    float[] start = out.get("start").toFloats();
    float[] end = out.get("end").toFloats();
    int size = (int) image.size();
    List<Integer> neurons = new ArrayList<>();
    List<float[]> images = new ArrayList<>();
    List<float[]> change = new ArrayList<>();
    double[] low = new double[which.length];
    for (int i = 0; i < which.length; i++) {
      float[] picture = new float[size];
      float[] moved = new float[size];
      float[] signed = new float[size];
      for (int p = 0; p < size; p++) {
        picture[p] = end[i * size + p];
        signed[p] = end[i * size + p] - start[i * size + p];
        moved[p] = Math.abs(signed[p]);
      }
      neurons.add((int) which[i]);
      images.add(picture);
      change.add(moved);
      low[i] = lowShare(signed, image.dim(0), image.dim(1), image.dim(2));
    }
    return new InvertedInputs(List.copyOf(neurons), images, change, low);
  }

  /**
   * The share of an image's energy, its mean not counted, at frequencies whose larger component is
   * below a quarter of the highest one (an eighth of a cycle per pixel).
   *
   * @param x [H,W,C]
   * @return 0 to 1; 0 for a constant image
   */
  static double lowShare(float[] x, int h, int w, int c) {
    double low = 0;
    double all = 0;
    for (int channel = 0; channel < c; channel++) {
      for (int u = 0; u < h; u++) {
        for (int v = 0; v < w; v++) {
          if (u + v == 0) {
            continue;
          }
          double energy = energy(x, h, w, c, channel, u, v);
          double highest =
              Math.max(Math.min(u, h - u) / (double) h, Math.min(v, w - v) / (double) w);
          all += energy;
          low += highest < 0.125 ? energy : 0;
        }
      }
    }
    return all == 0 ? 0 : low / all;
  }

  /** |the discrete Fourier transform|^2 at one frequency, by its definition. */
  private static double energy(float[] x, int h, int w, int c, int channel, int u, int v) {
    double re = 0;
    double im = 0;
    for (int i = 0; i < h; i++) {
      for (int j = 0; j < w; j++) {
        double angle = 2 * Math.PI * (u * i / (double) h + v * j / (double) w);
        re += x[(i * w + j) * c + channel] * Math.cos(angle);
        im -= x[(i * w + j) * c + channel] * Math.sin(angle);
      }
    }
    return re * re + im * im;
  }
}
