package dev.vauban.adversarial.blackbox;

import java.util.function.Function;

/**
 * A gradient from values alone: finite differences along random directions. All of them estimate
 * the gradient itself, not a multiple of it: of a linear function the mean is its gradient.
 */
public sealed interface Estimator {
  /** Queries of one estimate; more directions, a better one. */
  int queries();

  /**
   * The gradient of {@code f} near {@code x}.
   *
   * @param f values of several points, in one call
   * @param x in [0,1]; the points asked are kept in [0,1]
   * @param value f at x, for differences to one side
   */
  double[] gradient(Function<float[][], double[]> f, float[] x, double value, Draw draw);

  /** How directions are drawn. */
  enum Directions {
    /** Standard normal: NES (Wierstra et al. 2014; Ilyas et al. 2018). */
    NORMAL {
      @Override
      double[] draw(Draw draw, int size) {
        return draw.normals(size);
      }

      @Override
      double scale(int size) {
        return 1;
      }
    },
    /** Signs: SPSA (Spall 1992; Uesato et al. 2018). */
    SIGNS {
      @Override
      double[] draw(Draw draw, int size) {
        return draw.signs(size);
      }

      @Override
      double scale(int size) {
        return 1;
      }
    },
    /** Uniform on the unit sphere: zeroth-order SGD (Ghadimi and Lan 2013; Liu et al. 2019). */
    SPHERE {
      @Override
      double[] draw(Draw draw, int size) {
        return draw.sphere(size);
      }

      @Override
      double scale(int size) {
        return size;
      }
    };

    abstract double[] draw(Draw draw, int size);

    /** What makes the mean of {@code (u'g) u} the gradient g. */
    abstract double scale(int size);
  }

  /**
   * Differences between both ends of each direction: {@code mean (f(x + h u) - f(x - h u)) u / 2h}.
   * The error of curvature cancels, so the bias is of order h squared.
   *
   * @param directions how they are drawn
   * @param pairs how many, each of two queries
   * @param h the step
   */
  record TwoSided(Directions directions, int pairs, double h) implements Estimator {
    /** Checks the ranges. */
    public TwoSided {
      Estimator.check(pairs, h);
    }

    @Override
    public int queries() {
      return 2 * pairs;
    }

    @Override
    public double[] gradient(Function<float[][], double[]> f, float[] x, double value, Draw draw) {
      double[][] u = new double[pairs][];
      float[][] points = new float[2 * pairs][];
      for (int k = 0; k < pairs; k++) {
        u[k] = directions.draw(draw, x.length);
        points[2 * k] = Vectors.moved(x, h, u[k]);
        points[2 * k + 1] = Vectors.moved(x, -h, u[k]);
      }
      double[] values = f.apply(points);
      double[] sum = new double[x.length];
      for (int k = 0; k < pairs; k++) {
        Vectors.add(sum, values[2 * k] - values[2 * k + 1], u[k]);
      }
      Vectors.scale(sum, directions.scale(x.length) / (2 * h * pairs));
      return sum;
    }
  }

  /**
   * Differences to the value at x: {@code mean (f(x + h u) - f(x)) u / h}. One query a direction,
   * with a bias of order h.
   *
   * @param directions how they are drawn
   * @param count how many
   * @param h the step
   */
  record OneSided(Directions directions, int count, double h) implements Estimator {
    /** Checks the ranges. */
    public OneSided {
      Estimator.check(count, h);
    }

    @Override
    public int queries() {
      return count;
    }

    @Override
    public double[] gradient(Function<float[][], double[]> f, float[] x, double value, Draw draw) {
      double[][] u = new double[count][];
      float[][] points = new float[count][];
      for (int k = 0; k < count; k++) {
        u[k] = directions.draw(draw, x.length);
        points[k] = Vectors.moved(x, h, u[k]);
      }
      double[] values = f.apply(points);
      double[] sum = new double[x.length];
      for (int k = 0; k < count; k++) {
        Vectors.add(sum, values[k] - value, u[k]);
      }
      Vectors.scale(sum, directions.scale(x.length) / (h * count));
      return sum;
    }
  }

  /**
   * Symmetric differences at some pixels, drawn anew each time; 0 elsewhere (Chen et al. 2017). At
   * a pixel on the edge of [0,1] the difference is to one side.
   *
   * @param count pixels of one estimate, each of two queries
   * @param h the step
   */
  record Pixels(int count, double h) implements Estimator {
    /** Checks the ranges. */
    public Pixels {
      Estimator.check(count, h);
    }

    @Override
    public int queries() {
      return 2 * count;
    }

    @Override
    public double[] gradient(Function<float[][], double[]> f, float[] x, double value, Draw draw) {
      int[] chosen = draw.choose(Math.min(count, x.length), x.length);
      float[][] points = new float[2 * chosen.length][];
      for (int k = 0; k < chosen.length; k++) {
        points[2 * k] = x.clone();
        points[2 * k + 1] = x.clone();
        points[2 * k][chosen[k]] = (float) Math.min(1, x[chosen[k]] + h);
        points[2 * k + 1][chosen[k]] = (float) Math.max(0, x[chosen[k]] - h);
      }
      double[] values = f.apply(points);
      double[] gradient = new double[x.length];
      for (int k = 0; k < chosen.length; k++) {
        int i = chosen[k];
        double apart = (double) points[2 * k][i] - points[2 * k + 1][i];
        gradient[i] = (values[2 * k] - values[2 * k + 1]) / apart;
      }
      return gradient;
    }
  }

  private static void check(int count, double h) {
    if (count < 1 || !(h > 0 && h < 1)) {
      throw new IllegalArgumentException(
          "an estimate needs at least 1 direction and a step in (0,1), not " + count + " and " + h);
    }
  }
}
