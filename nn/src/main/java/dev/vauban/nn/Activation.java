package dev.vauban.nn;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Tree;

/** Elementwise non-linearities. Each is a layer without weights and a function of an array. */
public enum Activation implements Layer {
  /** max(x, 0); gradient 0 at 0. */
  RELU {
    @Override
    public Expr of(Expr x) {
      return x.relu();
    }
  },
  /** x where positive, else 0.01 x. */
  LEAKY_RELU {
    @Override
    public Expr of(Expr x) {
      return leaky(x, 0.01);
    }
  },
  /** min(max(x, 0), 6). */
  RELU6 {
    @Override
    public Expr of(Expr x) {
      return x.clamp(0, 6);
    }
  },
  /** Hyperbolic tangent. */
  TANH {
    @Override
    public Expr of(Expr x) {
      return x.tanh();
    }
  },
  /** x limited to [-1, 1]. */
  HARD_TANH {
    @Override
    public Expr of(Expr x) {
      return x.clamp(-1, 1);
    }
  },
  /** 1 / (1 + exp(-x)). */
  SIGMOID {
    @Override
    public Expr of(Expr x) {
      return x.sigmoid();
    }
  },
  /** log(1 + exp(x)), without overflow. */
  SOFTPLUS {
    @Override
    public Expr of(Expr x) {
      return x.max(0).add(x.abs().neg().exp().log1p()); // max: gradient 1/2 at 0
    }
  },
  /** x sigmoid(x), also called swish. */
  SILU {
    @Override
    public Expr of(Expr x) {
      return x.mul(x.sigmoid());
    }
  },
  /** x tanh(softplus(x)). */
  MISH {
    @Override
    public Expr of(Expr x) {
      return x.mul(SOFTPLUS.of(x).tanh());
    }
  },
  /** x Phi(x) with the exact normal distribution function. */
  GELU {
    @Override
    public Expr of(Expr x) {
      return x.mul(0.5).mul(x.mul(Math.sqrt(0.5)).erf().add(1));
    }
  },
  /** GELU by its tanh approximation (Hendrycks and Gimpel 2016). */
  GELU_TANH {
    @Override
    public Expr of(Expr x) {
      Expr inner = x.add(x.mul(x).mul(x).mul(0.044715)).mul(Math.sqrt(2 / Math.PI));
      return x.mul(0.5).mul(inner.tanh().add(1));
    }
  },
  /** x where positive, else exp(x) - 1. */
  ELU {
    @Override
    public Expr of(Expr x) {
      return elu(x, 1);
    }
  },
  /** Scaled ELU (Klambauer et al. 2017): keeps mean 0 and variance 1. */
  SELU {
    @Override
    public Expr of(Expr x) {
      return elu(x, 1.6732632423543772).mul(1.0507009873554805);
    }
  };

  /** The function of every element. */
  public abstract Expr of(Expr x);

  /** x where positive, else {@code slope} x. */
  public static Expr leaky(Expr x, double slope) {
    return Expr.select(x.gt(0), x, x.mul(slope));
  }

  /** x where positive, else {@code slope} x with a learned slope, broadcast against x. */
  public static Expr leaky(Expr x, Expr slope) {
    return Expr.select(x.gt(0), x, x.mul(slope));
  }

  /** x where positive, else {@code alpha} (exp(x) - 1). */
  public static Expr elu(Expr x, double alpha) {
    // The inner selection keeps exp finite where its branch is not taken: infinity * 0 is NaN.
    Expr positive = x.gt(0);
    Expr negative = Expr.select(positive, x.zeros(), x);
    return Expr.select(positive, x, negative.expm1().mul(alpha));
  }

  @Override
  public String kind() {
    return name().toLowerCase(java.util.Locale.ROOT);
  }

  @Override
  public String toString() {
    return kind();
  }

  @Override
  public Shape output(Shape in) {
    return in;
  }

  @Override
  public Tree<Weight> weights(Shape in) {
    return Tree.empty();
  }

  @Override
  public Expr apply(Tree<Expr> w, Expr x) {
    return of(x);
  }
}
