package dev.vauban.bench.kernels;

import dev.vauban.nn.Layers;
import dev.vauban.tensor.Device;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Grad;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Plan;
import dev.vauban.tensor.Program;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** What the backend fuses and emits, and pooling, as compiled plans on one thread. */
@State(org.openjdk.jmh.annotations.Scope.Thread)
public class Nests {
  private static final Shape IMAGES = Shape.of(75, 14, 14, 64);

  /** Programs of one array. */
  public enum Case {
    /** Batch norm's normalisation and ReLU, statistics included. */
    NORMALISE(IMAGES) {
      @Override
      Expr apply(Expr x) {
        Expr centred = x.sub(x.mean(0, 1, 2));
        Expr variance = centred.square().mean(0, 1, 2);
        return centred.mul(variance.add(1e-5).rsqrt()).relu();
      }
    },
    /** Sums over all but the channels. */
    COLUMN_SUMS(IMAGES) {
      @Override
      Expr apply(Expr x) {
        return x.sum(0, 1, 2);
      }
    },
    /** Softmax over the last axis. */
    SOFTMAX(Shape.of(300, 64)) {
      @Override
      Expr apply(Expr x) {
        Expr e = x.sub(x.maxOver(1).reshape(300, 1)).exp();
        return e.div(e.sum(1).reshape(300, 1));
      }
    },
    /** Maximum pooling 2x2. */
    MAX_POOL(IMAGES) {
      @Override
      Expr apply(Expr x) {
        return Layers.maxPool(2).apply(Tree.empty(), x);
      }
    },
    /** Its gradient, the forward pass included. */
    MAX_POOL_GRADIENT(IMAGES) {
      @Override
      Expr apply(Expr x) {
        return Grad.grad(z -> Layers.maxPool(2).apply(Tree.empty(), z).square().sum(), x);
      }
    },
    /** Six cheap pointwise operations. */
    POINTWISE(IMAGES) {
      @Override
      Expr apply(Expr x) {
        return x.mul(0.5).add(0.25).mul(x).sub(x).mul(0.75).relu();
      }
    };

    private final Shape shape;

    Case(Shape shape) {
      this.shape = shape;
    }

    abstract Expr apply(Expr x);
  }

  /** How large the numbers are. */
  public enum Values {
    /** About 1. */
    NORMAL(1),
    /** About 1e-40: hardware takes its slow path. */
    SUBNORMAL(1e-40);

    private final double scale;

    Values(double scale) {
      this.scale = scale;
    }
  }

  /** Which program. */
  @Param public Case program;

  /** On which numbers; only POINTWISE is worth comparing. */
  @Param({"NORMAL"})
  public Values values;

  private final Scope scope = Scope.open();
  private Device device;
  private Plan plan;
  private Plan.Bound bound;

  /** Compiles and fills. */
  @Setup
  public void prepare() {
    device = Device.open("cpu:1");
    Type type = new Type(dev.vauban.tensor.DType.F32, program.shape);
    plan =
        device.compile(Program.trace(Tree.leaf(type), in -> Tree.leaf(program.apply(in.value()))));
    Tensor x = scope.tensor(type);
    Key key = Key.of(1);
    for (long i = 0; i < x.size(); i++) {
      x.set(i, key.normal(i) * values.scale);
    }
    bound = plan.bind(Tree.leaf(x), scope.tensors(plan.program().outputs()));
  }

  /** One run of the plan. */
  @Benchmark
  public void run() {
    bound.run();
  }

  /** Frees. */
  @TearDown
  public void free() {
    plan.close();
    device.close();
    scope.close();
  }
}
