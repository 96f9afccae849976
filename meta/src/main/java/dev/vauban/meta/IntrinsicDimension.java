package dev.vauban.meta;

import dev.vauban.nn.Batch;
import dev.vauban.nn.Model;
import dev.vauban.nn.data.ImageSet;
import dev.vauban.tensor.DType;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import java.util.Arrays;
import java.util.List;

/**
 * How many directions a set of features fills: the diagnostic of ITS-MAML (Duan et al. 2022, <a
 * href="https://arxiv.org/abs/2211.15180">arXiv 2211.15180</a>), which sees robust meta-training
 * lower it.
 *
 * @param id90 number of principal components that hold 90% of the variance
 * @param effectiveRank exp of the entropy of the variance's shares (Roy and Vetterli 2007, of the
 *     covariance)
 * @param variances of the principal components, largest first
 */
public record IntrinsicDimension(int id90, double effectiveRank, double[] variances) {
  private static final double SHARE = 0.9;
  private static final int SWEEPS = 60;

  /**
   * Of features given row by row.
   *
   * @param features [n][d], n at least 2
   */
  public static IntrinsicDimension of(double[][] features) {
    if (features.length < 2) {
      throw new IllegalArgumentException(
          "an intrinsic dimension needs at least 2 images, not " + features.length);
    }
    double[] variances = eigenvalues(covariance(features));
    double total = Arrays.stream(variances).sum();
    int id = 0;
    for (double sum = 0; id < variances.length && sum < SHARE * total; id++) {
      sum += variances[id];
    }
    double entropy = 0;
    for (double v : variances) {
      entropy -= v > 0 ? v / total * Math.log(v / total) : 0;
    }
    return new IntrinsicDimension(id, Math.exp(entropy), variances);
  }

  /**
   * Of a network's penultimate features of clean images, all normalised as one batch, at the
   * meta-parameters as they are (no adaptation).
   *
   * @param weights the network's weights
   * @param set where the images come from
   * @param classes number of classes, drawn with {@code key}; fewer if the set has fewer
   * @param perClass images of each class; fewer where a class has fewer
   */
  public static IntrinsicDimension of(
      Device device,
      Model model,
      Tree<Tensor> weights,
      ImageSet set,
      int classes,
      int perClass,
      Key key) {
    int[] indices = draw(set, classes, perClass, key);
    Tree<Type> types =
        Tree.of("images", new Type(DType.U8, set.blockShape()), "indices", Type.i32(indices.length))
            .with("weights", weights.map(Tensor::type));
    Program program =
        Program.trace(
            types,
            in -> {
              Expr x = in.get("images").gather(0, in.get("indices")).cast(DType.F32).div(255);
              Expr f = model.features(in.sub("weights"), x);
              return Tree.leaf(f.reshape(indices.length, -1));
            });
    try (Scope scope = Scope.open();
        Plan plan = device.compile(program)) {
      Tree<Tensor> in =
          Tree.of(
                  "images", Tensor.over(scope, types.get("images"), set.pixels()),
                  "indices", scope.ints(types.get("indices").shape(), indices))
              .with("weights", weights);
      return of(rows(plan.run(scope, in).value().toDoubles(), indices.length));
    }
  }

  /**
   * Of a network's penultimate features of given images, for example attacked ones, all normalised
   * as one batch, at the meta-parameters as they are (no adaptation).
   *
   * @param learner which weights the meta-parameters stand for
   * @param theta the meta-parameters
   * @param images at least 2, each [H*W*C] in [0,1]
   */
  public static IntrinsicDimension of(
      Device device, MetaLearner learner, Model model, Tree<Tensor> theta, List<float[]> images) {
    int n = images.size();
    int size = (int) model.input().size();
    Tree<Type> types =
        Tree.of("x", Type.f32(model.input().insert(0, n).dims()))
            .with("theta", theta.map(Tensor::type));
    Program program =
        Program.trace(
            types,
            in -> {
              Expr x = in.get("x");
              Expr none = Expr.fill(Type.i32(n), 0);
              Expr key = Expr.fill(Type.i32(2), 0);
              Tree<Expr> w =
                  learner.weights(learner.start(in.sub("theta"), new Batch<>(x, none, key)));
              return Tree.leaf(model.features(w, x).reshape(n, -1));
            });
    try (Scope scope = Scope.open();
        Plan plan = device.compile(program)) {
      Tensor x = scope.tensor(types.get("x"));
      for (int i = 0; i < n; i++) {
        for (int p = 0; p < size; p++) {
          x.set((long) i * size + p, images.get(i)[p]);
        }
      }
      Tree<Tensor> in = Tree.of("x", x).with("theta", theta);
      return of(rows(plan.run(scope, in).value().toDoubles(), n));
    }
  }

  private static double[][] rows(double[] flat, int n) {
    int d = flat.length / n;
    double[][] rows = new double[n][];
    for (int i = 0; i < n; i++) {
      rows[i] = Arrays.copyOfRange(flat, i * d, (i + 1) * d);
    }
    return rows;
  }

  private static int[] draw(ImageSet set, int classes, int perClass, Key key) {
    int[] order = key.permutation(set.classCount());
    return Arrays.stream(order)
        .limit(classes)
        .flatMap(c -> Arrays.stream(set.imagesOf(c)).limit(perClass))
        .toArray();
  }

  private static double[][] covariance(double[][] x) {
    int d = x[0].length;
    double[] mean = new double[d];
    for (double[] row : x) {
      for (int i = 0; i < d; i++) {
        mean[i] += row[i] / x.length;
      }
    }
    double[][] c = new double[d][d];
    for (double[] row : x) {
      for (int i = 0; i < d; i++) {
        double a = (row[i] - mean[i]) / (x.length - 1);
        for (int j = 0; j <= i; j++) {
          c[i][j] += a * (row[j] - mean[j]);
        }
      }
    }
    for (int i = 0; i < d; i++) {
      for (int j = i + 1; j < d; j++) {
        c[i][j] = c[j][i];
      }
    }
    return c;
  }

  /**
   * The eigenvalues of a symmetric matrix, largest first, by cyclic Jacobi rotations; changes it.
   */
  static double[] eigenvalues(double[][] a) {
    int d = a.length;
    for (int sweep = 0; sweep < SWEEPS && offDiagonal(a) > 1e-24 * diagonal(a); sweep++) {
      for (int p = 0; p < d; p++) {
        for (int q = p + 1; q < d; q++) {
          rotate(a, p, q);
        }
      }
    }
    double[] values = new double[d];
    for (int i = 0; i < d; i++) {
      values[i] = Math.max(a[i][i], 0);
    }
    Arrays.sort(values);
    for (int i = 0; i < d / 2; i++) {
      double t = values[i];
      values[i] = values[d - 1 - i];
      values[d - 1 - i] = t;
    }
    return values;
  }

  /** Golub and Van Loan, Matrix Computations, section 8.5.2. */
  private static void rotate(double[][] a, int p, int q) {
    if (a[p][q] == 0) {
      return;
    }
    double tau = (a[q][q] - a[p][p]) / (2 * a[p][q]);
    double t = Math.copySign(1, tau) / (Math.abs(tau) + Math.sqrt(1 + tau * tau));
    double c = 1 / Math.sqrt(1 + t * t);
    double s = t * c;
    for (int k = 0; k < a.length; k++) {
      double x = a[k][p];
      double y = a[k][q];
      a[k][p] = c * x - s * y;
      a[k][q] = s * x + c * y;
    }
    for (int k = 0; k < a.length; k++) {
      double x = a[p][k];
      double y = a[q][k];
      a[p][k] = c * x - s * y;
      a[q][k] = s * x + c * y;
    }
  }

  private static double offDiagonal(double[][] a) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      for (int j = 0; j < i; j++) {
        sum += 2 * a[i][j] * a[i][j];
      }
    }
    return sum;
  }

  private static double diagonal(double[][] a) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i][i] * a[i][i];
    }
    return sum;
  }
}
