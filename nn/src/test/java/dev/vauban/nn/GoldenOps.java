package dev.vauban.nn;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.PoolOp.PoolWindow;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Window;
import dev.vauban.tensor.golden.Golden;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import tools.jackson.databind.JsonNode;

/** How each operation of the reference values reads in this library. */
final class GoldenOps {
  /** Result dimension i of an array in our layout is dimension {@code perm[i]} of PyTorch's. */
  private static final int[] NHWC = {0, 2, 3, 1};

  private static final int[] HWIO = {2, 3, 1, 0};
  private static final int[] NLC = {0, 2, 1};
  private static final int[] LIO = {2, 1, 0};
  private static final int[] HWC = {1, 2, 0};
  private static final int[] IO = {1, 0};

  private static final Map<String, Op> OPS = new HashMap<>();

  private GoldenOps() {}

  /** The inputs of a case as expressions, and its attributes. */
  record Args(Golden.Case c, Map<String, Expr> in) {
    Expr get(String name) {
      return in.get(name);
    }

    JsonNode attr(String name) {
      JsonNode n = c.attrs().get(name);
      if (n == null) {
        throw new IllegalArgumentException(c + " has no attribute " + name);
      }
      return n;
    }

    int number(String name) {
      return attr(name).asInt();
    }

    double real(String name) {
      return attr(name).asDouble();
    }

    int number(String name, int i) {
      return attr(name).get(i).asInt();
    }

    Window window() {
      int ph = number("padding", 0);
      int pw = number("padding", 1);
      return new Window(
          number("stride", 0),
          number("stride", 1),
          ph,
          ph,
          pw,
          pw,
          number("dilation", 0),
          number("dilation", 1));
    }

    PoolWindow pool(int dilation) {
      int p = number("padding");
      int s = number("stride");
      Window w = new Window(s, s, p, p, p, p, dilation, dilation);
      return new PoolWindow(number("kernel"), number("kernel"), w);
    }

    /** Size of an input's last axis. */
    int features(String name) {
      return get(name).shape().dim(-1);
    }

    LstmCell lstm() {
      return new LstmCell(features("x"), features("h"));
    }

    Expr biased(Expr y) {
      return in.containsKey("b") ? y.add(get("b")) : y;
    }

    Tree<Expr> weights() {
      return Tree.of("wi", get("wi"), "wh", get("wh")).with("bi", get("bi")).with("bh", get("bh"));
    }

    Expr reduced(Expr perExample) {
      return switch (attr("reduction").asString()) {
        case "mean" -> perExample.mean();
        case "sum" -> perExample.sum();
        case "none" -> perExample;
        default -> throw new IllegalArgumentException("reduction of " + c);
      };
    }
  }

  /**
   * One operation.
   *
   * @param layouts how inputs and outputs are permuted, by name; others are as PyTorch has them
   */
  record Op(Map<String, int[]> layouts, Function<Args, List<Expr>> f) {
    Golden.Array ours(String name, Golden.Array array) {
      int[] perm = layouts.get(name);
      return perm == null || perm.length != array.shape().rank() ? array : array.transpose(perm);
    }
  }

  /** The operation of a case, or null if this table lacks it. */
  static Op of(Golden.Case c) {
    return OPS.get(c.op());
  }

  private static void op(String name, Map<String, int[]> layouts, Function<Args, Expr> f) {
    OPS.put(name, new Op(layouts, a -> List.of(f.apply(a))));
  }

  private static void op(String name, Function<Args, Expr> f) {
    op(name, Map.of(), f);
  }

  private static void unary(String name, Function<Expr, Expr> f) {
    op(name, a -> f.apply(a.get("x")));
  }

  static {
    layers();
    activations();
    losses();
    cells();
    adversarial();
    arrays();
  }

  private static void layers() {
    op(
        "conv2d",
        Map.of("x", NHWC, "w", HWIO, "y", NHWC),
        a -> a.biased(a.get("x").convolve(a.get("w"), a.window(), a.number("groups"))));
    op(
        "conv1d",
        Map.of("x", NLC, "w", LIO, "y", NLC),
        a ->
            a.biased(
                Images.convolve1d(
                    a.get("x"),
                    a.get("w"),
                    a.number("stride"),
                    a.number("padding"),
                    a.number("dilation"),
                    a.number("groups"))));
    op(
        "conv_transpose2d",
        Map.of("x", NHWC, "w", HWIO, "y", NHWC),
        a ->
            a.biased(
                Images.convolveTransposed(
                    a.get("x"),
                    a.get("w"),
                    a.window(),
                    a.number("groups"),
                    a.number("output_padding", 0),
                    a.number("output_padding", 1))));
    op(
        "max_pool2d",
        Map.of("x", NHWC, "y", NHWC),
        a -> {
          PoolWindow w = a.pool(a.number("dilation"));
          return a.attr("ceil_mode").asBoolean()
              ? Images.maxPoolCeil(a.get("x"), w)
              : a.get("x").maxPool(w);
        });
    op(
        "avg_pool2d",
        Map.of("x", NHWC, "y", NHWC),
        a ->
            a.attr("count_include_pad").asBoolean()
                ? a.get("x").averagePool(a.pool(1))
                : Images.averagePoolInside(a.get("x"), a.pool(1)));
    op(
        "adaptive_avg_pool2d",
        Map.of("x", NHWC, "y", NHWC),
        a -> Images.adaptiveAveragePool(a.get("x"), a.number("output", 0), a.number("output", 1)));
    op(
        "bilinear_upsample",
        Map.of("x", NHWC, "y", NHWC),
        a -> Images.resizeBilinear(a.get("x"), a.number("out", 0), a.number("out", 1)));
    op(
        "batch_norm",
        Map.of("x", NHWC, "y", NHWC),
        a ->
            a.attr("training").asBoolean()
                ? Normalize.batch(a.get("x"), a.get("w"), a.get("b"), a.real("eps"))
                : Normalize.batch(
                    a.get("x"),
                    a.get("running_mean"),
                    a.get("running_var"),
                    a.get("w"),
                    a.get("b"),
                    a.real("eps")));
    op(
        "layer_norm",
        Map.of("x", NHWC, "y", NHWC, "w", HWC, "b", HWC),
        a -> Normalize.layer(a.get("x"), a.get("w"), a.get("b"), a.real("eps")));
    op(
        "group_norm",
        Map.of("x", NHWC, "y", NHWC),
        a ->
            Normalize.group(a.get("x"), a.number("groups"), a.get("w"), a.get("b"), a.real("eps")));
    op(
        "instance_norm",
        Map.of("x", NHWC, "y", NHWC),
        a -> Normalize.instance(a.get("x"), a.get("w"), a.get("b"), a.real("eps")));
    op(
        "linear",
        Map.of("w", IO),
        a ->
            Layers.linear(a.features("w"))
                .apply(Tree.of("w", a.get("w"), "b", a.get("b")), a.get("x")));
    op("sdpa", a -> Attention.scaledDotProduct(a.get("q"), a.get("k"), a.get("v")));
  }

  private static void activations() {
    unary("gelu_erf", Activation.GELU::of);
    unary("gelu_tanh", Activation.GELU_TANH::of);
    unary("elu", Activation.ELU::of);
    op("elu_a07", a -> Activation.elu(a.get("x"), a.real("alpha")));
    unary("relu", Activation.RELU::of);
    unary("leaky_relu_01", x -> Activation.leaky(x, 0.1));
    unary("sigmoid", Activation.SIGMOID::of);
    unary("tanh", Activation.TANH::of);
    unary("softplus", Activation.SOFTPLUS::of);
    unary("silu", Activation.SILU::of);
    unary("selu", Activation.SELU::of);
    unary("mish", Activation.MISH::of);
    unary("hardtanh", Activation.HARD_TANH::of);
    unary("relu6", Activation.RELU6::of);
    op("prelu", Map.of("x", NLC, "y", NLC), a -> Activation.leaky(a.get("x"), a.get("a")));
    unary("exp", Expr::exp);
    unary("sin", Expr::sin);
    unary("square", Expr::square);
    unary("abs", Expr::abs);
    unary("erf", Expr::erf);
    unary("log", Expr::log);
    unary("sqrt", Expr::sqrt);
    unary("rsqrt", Expr::rsqrt);
    unary("reciprocal", Expr::reciprocal);
    op("pow", a -> a.get("x").pow(a.real("exponent")));
  }

  private static void losses() {
    op("log_softmax", a -> Softmax.log(a.get("x"), a.number("dim")));
    op("softmax", a -> Softmax.of(a.get("x"), a.number("dim")));
    op("logsumexp", a -> Softmax.logSumExp(a.get("x"), a.number("dim")));
    op(
        "cross_entropy",
        a -> {
          double smoothing = a.c().attrs().has("label_smoothing") ? a.real("label_smoothing") : 0;
          return a.reduced(
              smoothing == 0
                  ? Losses.crossEntropy(a.get("x"), a.get("y"))
                  : Losses.crossEntropy(a.get("x"), a.get("y"), smoothing));
        });
    op("cross_entropy_soft", a -> a.reduced(Losses.crossEntropy(a.get("x"), a.get("t"))));
    op("kl_from_logits", a -> Losses.kl(a.get("p"), a.get("q")).mean());
    op("kl_div", a -> a.reduced(Losses.klOfProbabilities(a.get("lp"), a.get("t"))));
    op("bce_with_logits", a -> a.reduced(Losses.binaryCrossEntropy(a.get("x"), a.get("t"))));
    op("mse", a -> Losses.mse(a.get("a"), a.get("b")));
    op("smooth_l1", a -> a.reduced(Losses.smoothL1(a.get("a"), a.get("b"), a.real("beta"))));
    op("cosine_similarity", a -> Similarity.cosine(a.get("a"), a.get("b")));
    op("l2_normalize", a -> Similarity.normalize(a.get("a")));
    op("nt_xent", a -> Contrastive.ntXent(a.get("z"), a.real("temperature")).mean());
    op("supcon", a -> Contrastive.supCon(a.get("z"), a.get("y"), a.real("temperature")).mean());
    op(
        "protonet_loss",
        a -> {
          Expr prototypes = Prototypes.of(a.get("zs"), a.get("ys"), a.number("ways"));
          Expr logits = Prototypes.logits(a.get("zq"), prototypes);
          return Losses.crossEntropy(logits, a.get("yq")).mean();
        });
  }

  private static void cells() {
    Map<String, int[]> matrices = Map.of("wi", IO, "wh", IO);
    OPS.put(
        "lstm_cell",
        new Op(
            matrices,
            a -> {
              LstmCell.State s =
                  a.lstm()
                      .apply(a.weights(), a.get("x"), new LstmCell.State(a.get("h"), a.get("c")));
              return List.of(s.h(), s.c());
            }));
    OPS.put(
        "lstm",
        new Op(
            matrices,
            a -> {
              LstmCell.Outputs o =
                  a.lstm()
                      .sequence(
                          a.weights(), a.get("x"), new LstmCell.State(a.get("h"), a.get("c")));
              return List.of(o.all(), o.last().h(), o.last().c());
            }));
    op(
        "gru_cell",
        matrices,
        a ->
            new GruCell(a.features("x"), a.features("h"))
                .apply(a.weights(), a.get("x"), a.get("h")));
    op(
        "rnn_tanh_cell",
        matrices,
        a ->
            new RnnCell(a.features("x"), a.features("h"))
                .apply(a.weights(), a.get("x"), a.get("h")));
    op(
        "rnn_tanh",
        matrices,
        a ->
            new RnnCell(a.features("x"), a.features("h"))
                .sequence(a.weights(), a.get("x"), a.get("h")));
  }

  private static void adversarial() {
    op("cw_margin", a -> Margins.margin(a.get("x"), a.get("y")));
    op("dlr", a -> Margins.dlr(a.get("x"), a.get("y")));
    op("dlr_targeted", a -> Margins.dlrTargeted(a.get("x"), a.get("y"), a.get("t")));
    op(
        "trades",
        a -> {
          Expr clean = Losses.crossEntropy(a.get("zn"), a.get("y")).mean();
          return clean.add(Losses.kl(a.get("za"), a.get("zn")).mean().mul(a.real("beta")));
        });
    op("mart", GoldenOps::mart);
  }

  /** MART (Wang et al. 2020, eq. 11) with the small constants of its published code. */
  private static Expr mart(Args a) {
    Expr labels = a.get("y");
    Expr adversarial = Softmax.of(a.get("za"), -1);
    Expr natural = Softmax.of(a.get("zn"), -1);
    Expr mask = labels.oneHot(adversarial.shape().dim(-1));
    Expr other = adversarial.sub(mask.mul(2)).maxOver(-1);
    Expr boosted =
        Losses.crossEntropy(a.get("za"), labels).sub(other.rsub(1.0001).add(1e-12).log());
    Expr kl = Losses.klOfProbabilities(adversarial.add(1e-12).log(), natural);
    Expr weight = Losses.pick(natural, labels).rsub(1.0000001);
    return boosted.mean().add(kl.mul(weight).mean().mul(a.real("beta")));
  }

  private static void arrays() {
    op("matmul", a -> a.get("a").matmul(a.get("b")));
    op("div", a -> a.get("a").div(a.get("b")));
    op("mul", a -> a.get("a").mul(a.get("b")));
    op("gather_rows", a -> a.get("w").gather(0, a.get("idx")));
    op("max", a -> a.get("x").maxOver(a.number("dim")));
    op(
        "var",
        a -> {
          int n = a.get("x").shape().dim(a.number("dim"));
          return a.get("x").variance(a.number("dim")).mul(n / (n - 1.0));
        });
    op("std", a -> a.get("x").variance(a.number("dim")).sqrt());
  }

  /** Names of the inputs of a case, without their prefix. */
  static List<String> inputs(Golden.Case c) {
    List<String> out = new ArrayList<>();
    c.names().keySet().stream()
        .filter(n -> n.startsWith("in."))
        .forEach(n -> out.add(n.substring(3)));
    return out;
  }
}
