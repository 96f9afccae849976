package dev.vauban.tensor.backend.reference;

import dev.vauban.tensor.ContractOp;
import dev.vauban.tensor.ConvOp;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Window;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Contractions and convolutions. */
final class Products {
  private Products() {}

  static void contract(
      ContractOp.Contract c, Shape ls, Shape rs, double[] l, double[] r, double[] out) {
    List<Integer> lf = c.leftFree(ls.rank());
    List<Integer> rf = c.rightFree(rs.rank());
    // One index runs over batch, left free, right free and summed axes.
    List<Integer> dims = new ArrayList<>();
    List<Long> left = new ArrayList<>();
    List<Long> right = new ArrayList<>();
    long[] sl = ls.strides();
    long[] sr = rs.strides();
    for (int i = 0; i < c.leftBatch().size(); i++) {
      dims.add(ls.dim(c.leftBatch().get(i)));
      left.add(sl[c.leftBatch().get(i)]);
      right.add(sr[c.rightBatch().get(i)]);
    }
    for (int a : lf) {
      dims.add(ls.dim(a));
      left.add(sl[a]);
      right.add(0L);
    }
    for (int a : rf) {
      dims.add(rs.dim(a));
      left.add(0L);
      right.add(sr[a]);
    }
    int summed = 1;
    for (int i = 0; i < c.leftSum().size(); i++) {
      dims.add(ls.dim(c.leftSum().get(i)));
      left.add(sl[c.leftSum().get(i)]);
      right.add(sr[c.rightSum().get(i)]);
      summed *= ls.dim(c.leftSum().get(i));
    }
    Arrays.fill(out, 0);
    int terms = summed;
    Movement.walk(
        Shape.of(dims.stream().mapToInt(Integer::intValue).toArray()),
        (i, flat) -> {
          long a = 0;
          long b = 0;
          for (int k = 0; k < i.length; k++) {
            a += i[k] * left.get(k);
            b += i[k] * right.get(k);
          }
          out[flat / terms] += l[(int) a] * r[(int) b];
        });
  }

  static void convolve(
      ConvOp.Convolve c, Shape xs, Shape ws, Shape ys, double[] x, double[] w, double[] y) {
    Arrays.fill(y, 0);
    taps(c.window(), c.groups(), xs, ws, ys, (xi, wi, yi) -> y[yi] += x[xi] * w[wi]);
  }

  static void inputGradient(
      ConvOp.InputGradient c, Shape gs, Shape ws, double[] gy, double[] w, double[] gx) {
    Arrays.fill(gx, 0);
    taps(c.window(), c.groups(), c.input(), ws, gs, (xi, wi, yi) -> gx[xi] += gy[yi] * w[wi]);
  }

  static void kernelGradient(
      ConvOp.KernelGradient c, Shape xs, Shape gs, double[] x, double[] gy, double[] gw) {
    Arrays.fill(gw, 0);
    taps(c.window(), c.groups(), xs, c.kernel(), gs, (xi, wi, yi) -> gw[wi] += x[xi] * gy[yi]);
  }

  /** One multiplication of a convolution: positions in x, w and y. */
  private interface Tap {
    void at(int xi, int wi, int yi);
  }

  private static void taps(Window v, int groups, Shape xs, Shape ws, Shape ys, Tap tap) {
    int h = xs.dim(1);
    int w = xs.dim(2);
    int c = xs.dim(3);
    int in = ws.dim(2);
    int out = ws.dim(3);
    int perGroup = out / groups;
    for (int n = 0; n < ys.dim(0); n++) {
      for (int p = 0; p < ys.dim(1); p++) {
        for (int q = 0; q < ys.dim(2); q++) {
          for (int r = 0; r < ws.dim(0); r++) {
            int i = p * v.strideH() - v.top() + r * v.dilationH();
            if (i < 0 || i >= h) {
              continue;
            }
            for (int s = 0; s < ws.dim(1); s++) {
              int j = q * v.strideW() - v.left() + s * v.dilationW();
              if (j < 0 || j >= w) {
                continue;
              }
              for (int o = 0; o < out; o++) {
                int first = o / perGroup * in;
                for (int k = 0; k < in; k++) {
                  tap.at(
                      ((n * h + i) * w + j) * c + first + k,
                      ((r * ws.dim(1) + s) * in + k) * out + o,
                      ((n * ys.dim(1) + p) * ys.dim(2) + q) * out + o);
                }
              }
            }
          }
        }
      }
    }
  }
}
