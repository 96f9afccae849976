package dev.vauban.tensor.backend.reference;

import dev.vauban.tensor.ContractOp;
import dev.vauban.tensor.ControlOp;
import dev.vauban.tensor.ConvOp;
import dev.vauban.tensor.DType;
import dev.vauban.tensor.ElementOp;
import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Graph;
import dev.vauban.tensor.IndexOp;
import dev.vauban.tensor.LeafOp;
import dev.vauban.tensor.Op;
import dev.vauban.tensor.PoolOp;
import dev.vauban.tensor.RandomOp;
import dev.vauban.tensor.ReduceOp;
import dev.vauban.tensor.ShapeOp;
import dev.vauban.tensor.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The reference interpreter: evaluates a graph in double precision with straight loops. It is the
 * definition of every operation and the oracle of every test. Floating-point element types are only
 * storage formats here and do not round, but for casts to BF16, which do; integers are exact.
 */
public final class Reference {
  private Reference() {}

  /**
   * The results of {@code graph}, each in row-major order.
   *
   * @param arguments one array per parameter, in order, of the parameter's size
   */
  public static List<double[]> evaluate(Graph graph, List<double[]> arguments) {
    Map<Expr, double[][]> values = new HashMap<>();
    for (int i = 0; i < graph.params().size(); i++) {
      Expr p = graph.params().get(i);
      if (arguments.get(i).length != p.shape().size()) {
        throw new IllegalArgumentException(
            "parameter "
                + p
                + " needs "
                + p.shape().size()
                + " values, not "
                + arguments.get(i).length);
      }
      values.put(p, new double[][] {arguments.get(i)});
    }
    for (Expr e : graph.nodes()) {
      if (!values.containsKey(e)) {
        values.put(e, node(e, values));
      }
    }
    return graph.results().stream().map(r -> values.get(r)[0]).toList();
  }

  private static double[][] node(Expr e, Map<Expr, double[][]> values) {
    List<double[]> in = new ArrayList<>();
    for (Expr x : e.inputs()) {
      in.add(values.get(x)[0]);
    }
    List<Type> types = new ArrayList<>();
    e.inputs().forEach(x -> types.add(x.types().getFirst()));
    return switch (e.op()) {
      case ControlOp.Map m -> map(m, in, e.types());
      case ControlOp.Loop l -> loop(l, in);
      case ControlOp.Tuple t -> in.toArray(double[][]::new);
      case ControlOp.Project p -> new double[][] {values.get(e.input(0))[p.index()]};
      default -> {
        double[] out = new double[Math.toIntExact(e.shape().size())];
        evaluate(e.op(), types, in, e.type(), out);
        yield new double[][] {out};
      }
    };
  }

  private static double[][] map(ControlOp.Map m, List<double[]> in, List<Type> types) {
    double[][] out = new double[types.size()][];
    for (int r = 0; r < out.length; r++) {
      out[r] = new double[Math.toIntExact(types.get(r).shape().size())];
    }
    for (int k = 0; k < m.size(); k++) {
      List<double[]> args = new ArrayList<>();
      for (int i = 0; i < in.size(); i++) {
        int n = (int) m.body().params().get(i).shape().size();
        args.add(i < m.mapped() ? Arrays.copyOfRange(in.get(i), k * n, (k + 1) * n) : in.get(i));
      }
      List<double[]> each = evaluate(m.body(), args);
      for (int r = 0; r < out.length; r++) {
        int n = each.get(r).length;
        System.arraycopy(each.get(r), 0, out[r], k * n, n);
      }
    }
    return out;
  }

  private static double[][] loop(ControlOp.Loop l, List<double[]> in) {
    List<double[]> state = new ArrayList<>(in.subList(0, l.states()));
    for (int k = 0; k < l.steps(); k++) {
      List<double[]> args = new ArrayList<>();
      args.add(new double[] {k});
      args.addAll(state);
      args.addAll(in.subList(l.states(), in.size()));
      state = new ArrayList<>(evaluate(l.body(), args));
    }
    return state.toArray(double[][]::new);
  }

  /**
   * One operation without a program inside.
   *
   * @param out receives the result; its former content is ignored
   */
  public static void evaluate(Op op, List<Type> types, List<double[]> in, Type type, double[] out) {
    switch (op) {
      case LeafOp.Parameter p -> throw new IllegalStateException("parameter without value: " + p);
      case LeafOp.Fill f -> Arrays.fill(out, f.value());
      case LeafOp.Data d -> {
        for (int i = 0; i < out.length; i++) {
          out[i] = d.values().get(i);
        }
      }
      case LeafOp.Iota i -> Movement.iota(type.shape(), i.axis(), out);
      case ElementOp.Pointwise p -> pointwise(p, in, out);
      case ElementOp.Cast c -> cast(c.to(), in.getFirst(), out);
      case ShapeOp.Reshape r -> System.arraycopy(in.getFirst(), 0, out, 0, out.length);
      case ShapeOp.Transpose t ->
          Movement.transpose(t, types.getFirst().shape(), in.getFirst(), out);
      case ShapeOp.Broadcast b ->
          Movement.broadcast(b, types.getFirst().shape(), in.getFirst(), out);
      case ShapeOp.Slice s ->
          Movement.slice(s, types.getFirst().shape(), type.shape(), in.getFirst(), out);
      case ShapeOp.Pad p ->
          Movement.pad(p, types.getFirst().shape(), type.shape(), in.getFirst(), out);
      case ShapeOp.Concat c -> Movement.concat(c.axis(), types, in, type.shape(), out);
      case ReduceOp.Reduce r -> Reductions.reduce(r, types.getFirst().shape(), in.getFirst(), out);
      case ReduceOp.Variance v ->
          Reductions.variance(v, types.getFirst().shape(), in.getFirst(), out);
      case ReduceOp.ArgReduce r ->
          Reductions.argReduce(r, types.getFirst().shape(), in.getFirst(), out);
      case ReduceOp.ArgSort r ->
          Reductions.argSort(r, types.getFirst().shape(), in.getFirst(), out);
      case ContractOp.Contract c ->
          Products.contract(
              c, types.get(0).shape(), types.get(1).shape(), in.get(0), in.get(1), out);
      case ConvOp.Convolve c ->
          Products.convolve(
              c,
              types.get(0).shape(),
              types.get(1).shape(),
              type.shape(),
              in.get(0),
              in.get(1),
              out);
      case ConvOp.InputGradient c ->
          Products.inputGradient(
              c, types.get(0).shape(), types.get(1).shape(), in.get(0), in.get(1), out);
      case ConvOp.KernelGradient c ->
          Products.kernelGradient(
              c, types.get(0).shape(), types.get(1).shape(), in.get(0), in.get(1), out);
      case PoolOp p -> Pooling.pool(p, types, type.shape(), in, out);
      case IndexOp.Gather g ->
          Movement.gather(g.axis(), types.get(0).shape(), in.get(0), in.get(1), out);
      case IndexOp.ScatterAdd s ->
          Movement.scatterAdd(
              s, types.get(0).shape(), types.get(1).shape(), in.get(0), in.get(1), out);
      case RandomOp.Random r -> Draws.random(r, in.getFirst(), out);
      case RandomOp.Fold f -> Draws.fold(in.get(0), in.get(1), out);
      case ControlOp.StopGradient s -> System.arraycopy(in.getFirst(), 0, out, 0, out.length);
      case ControlOp.Project p -> throw new IllegalStateException("holds results of a program");
      case ControlOp.Tuple t -> throw new IllegalStateException("holds several values");
      case ControlOp.Map m -> throw new IllegalStateException("holds a program");
      case ControlOp.Loop l -> throw new IllegalStateException("holds a program");
    }
  }

  private static void pointwise(ElementOp.Pointwise p, List<double[]> in, double[] out) {
    double[] a = in.get(0);
    double[] b = in.size() > 1 ? in.get(1) : a;
    double[] c = in.size() > 2 ? in.get(2) : a;
    for (int i = 0; i < out.length; i++) {
      out[i] = p.fn().apply(a[i], b[i], c[i]);
    }
  }

  /** The nearest BF16 number of the nearest F32 number, ties to even. */
  private static double bf16(double x) {
    int bits = Float.floatToRawIntBits((float) x);
    return Double.isNaN(x) ? x : Float.intBitsToFloat(bits + 0x7fff + (bits >>> 16 & 1) & ~0xffff);
  }

  private static void cast(DType to, double[] in, double[] out) {
    for (int i = 0; i < out.length; i++) {
      out[i] =
          switch (to) {
            case F32, F64 -> in[i];
            case BF16 -> bf16(in[i]);
            case I32 -> (int) in[i];
            case U8 -> Math.max(0, Math.min(255, (int) in[i]));
          };
    }
  }
}
