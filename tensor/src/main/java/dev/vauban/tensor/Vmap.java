package dev.vauban.tensor;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/**
 * Functions applied to many elements, and loops. {@link #vmap} becomes one {@link ControlOp.Map}
 * node; {@link #repeat} one {@link ControlOp.Loop} node. Whatever in the function does not depend
 * on the element (or on the loop's state) is computed once, outside.
 */
public final class Vmap {
  /** How deep traces of bodies are nested; parameters of one depth have canonical numbers. */
  private static final ThreadLocal<Integer> DEPTH = ThreadLocal.withInitial(() -> 0);

  private static final long PER_DEPTH = 1_000_000;

  private Vmap() {}

  /**
   * {@code f} applied to each element of {@code xs} along the first dimension of every leaf; the
   * results are stacked along a new first dimension.
   *
   * @throws ShapeException if the leaves' first dimensions differ or a leaf is a scalar
   */
  public static Tree<Expr> vmap(Function<Tree<Expr>, Tree<Expr>> f, Tree<Expr> xs) {
    List<Expr> inputs = xs.leaves();
    if (inputs.isEmpty()) {
      throw new ShapeException("vmap: nothing to map over");
    }
    for (Expr e : inputs) {
      if (e.shape().rank() == 0 || e.shape().dim(0) != inputs.getFirst().shape().dim(0)) {
        throw Errors.shapes("vmap", "first dimensions differ", inputs);
      }
    }
    int n = inputs.getFirst().shape().dim(0);
    List<Expr> params = new ArrayList<>();
    Tree<Expr>[] out = tree();
    List<Expr> results =
        traced(() -> {
          Tree<Expr> elements =
              xs.mapPaths((path, e) -> {
                Expr p = parameter(params.size(), path, e.type().with(e.shape().without(0)));
                params.add(p);
                return p;
              });
          out[0] = f.apply(elements);
          return out[0].leaves();
        });
    List<Expr> each = map(new Graph(params, results), n, inputs.size(), inputs);
    int[] next = {0};
    return out[0].map(e -> each.get(next[0]++));
  }

  /** {@link #vmap} to a single array. */
  public static Expr vmapToArray(Function<Tree<Expr>, Expr> f, Tree<Expr> xs) {
    return vmap(t -> Tree.leaf(f.apply(t)), xs).value();
  }

  /**
   * {@code step} applied {@code steps} times to {@code state}.
   *
   * @param steps how often, at least 0
   * @param state the initial state
   * @param step the step number (I32 scalar) and a state to the next state, of the same types
   */
  public static Tree<Expr> repeat(int steps, Tree<Expr> state, Step step) {
    if (steps < 0) {
      throw new IllegalArgumentException("repeat: " + steps + " steps");
    }
    if (steps == 0) {
      return state;
    }
    List<Expr> params = new ArrayList<>();
    List<Expr> results =
        traced(() -> {
          Expr number = parameter(0, "step", new Type(DType.I32, Shape.SCALAR));
          params.add(number);
          Tree<Expr> s =
              state.mapPaths((path, e) -> {
                Expr p = parameter(params.size(), path, e.type());
                params.add(p);
                return p;
              });
          return step.next(number, s).leaves();
        });
    int states = params.size() - 1;
    List<Expr> inputs = new ArrayList<>(state.leaves());
    Graph body = capture(new Graph(params, results), inputs);
    Expr node = Expr.of(new ControlOp.Loop(body, steps, states), inputs);
    int[] next = {0};
    return state.map(e -> project(node, next[0]++));
  }

  /** {@link #repeat(int, Tree, Step)} for one array and a step that ignores its number. */
  public static Expr repeat(int steps, Expr state, UnaryOperator<Expr> step) {
    return repeat(steps, Tree.leaf(state), (i, s) -> Tree.leaf(step.apply(s.value()))).value();
  }

  /** One step of a loop. */
  public interface Step {
    /** The next state after step {@code number} (I32 scalar, from 0). */
    Tree<Expr> next(Expr number, Tree<Expr> state);
  }

  /** A Map node of a body that may still refer to outer values; its results one by one. */
  static List<Expr> map(Graph body, int size, int mapped, List<Expr> inputs) {
    List<Expr> all = new ArrayList<>(inputs);
    Graph closed = capture(body, all);
    Expr node = Expr.of(new ControlOp.Map(closed, size, mapped), all);
    List<Expr> out = new ArrayList<>();
    for (int i = 0; i < closed.results().size(); i++) {
      out.add(project(node, i));
    }
    return out;
  }

  /** The Map of a closed body as batched operations without a Map node. */
  static List<Expr> expand(Graph body, int size, int mapped, List<Expr> inputs) {
    boolean[] isMapped = new boolean[inputs.size()];
    Arrays.fill(isMapped, 0, mapped, true);
    return batchGraph(body, inputs, isMapped, size);
  }

  /** A closed body with its parameters replaced by batched values where mapped. */
  static List<Expr> batchGraph(Graph body, List<Expr> inputs, boolean[] isMapped, int n) {
    Map<Expr, Expr> value = new HashMap<>();
    Set<Expr> batched = new HashSet<>();
    for (int i = 0; i < inputs.size(); i++) {
      value.put(body.params().get(i), inputs.get(i));
      if (isMapped[i]) {
        batched.add(body.params().get(i));
      }
    }
    for (Expr e : body.nodes()) {
      if (value.containsKey(e)) {
        continue;
      }
      List<Expr> in = e.inputs().stream().map(value::get).toList();
      boolean[] m = new boolean[in.size()];
      boolean any = false;
      for (int i = 0; i < m.length; i++) {
        m[i] = batched.contains(e.input(i));
        any |= m[i];
      }
      if (any) {
        batched.add(e);
      }
      boolean mapAny = any;
      value.put(
          e, SourceLine.inherit(e, () -> mapAny ? e.op().batch(in, m, n) : Expr.of(e.op(), in)));
    }
    return body.results().stream()
        .map(r -> batched.contains(r) ? value.get(r) : Batching.repeat(value.get(r), n))
        .toList();
  }

  /** Batches a computation given as a function of its inputs, through a temporary body. */
  static Expr batchBody(
      List<Expr> in, boolean[] isMapped, int n, Function<List<Expr>, List<Expr>> f) {
    List<Expr> params = new ArrayList<>();
    List<Expr> results =
        traced(() -> {
          for (int i = 0; i < in.size(); i++) {
            Type t = in.get(i).type();
            params.add(parameter(i, "element", isMapped[i] ? t.with(t.shape().without(0)) : t));
          }
          return f.apply(params);
        });
    return Expr.tuple(batchGraph(new Graph(params, results), in, isMapped, n));
  }

  private static Expr project(Expr node, int i) {
    return Expr.of(new ControlOp.Project(i), List.of(node));
  }

  private static Expr parameter(int index, String name, Type type) {
    return Expr.parameter(DEPTH.get() * PER_DEPTH + index, name, type);
  }

  private static <T> T traced(java.util.function.Supplier<T> trace) {
    DEPTH.set(DEPTH.get() + 1);
    try {
      return trace.get();
    } finally {
      DEPTH.set(DEPTH.get() - 1);
    }
  }

  /**
   * Closes a body: outer values become further parameters, appended with their values to {@code
   * inputs}. The boundary lies as late as possible, so that work that does not depend on the
   * parameters stays outside; constants stay inside.
   */
  private static Graph capture(Graph body, List<Expr> inputs) {
    Set<Expr> inside = new HashSet<>(body.params());
    List<Expr> nodes = body.nodes();
    for (Expr e : nodes) {
      if (e.inputs().stream().anyMatch(inside::contains)) {
        inside.add(e);
      }
    }
    // A repetition costs nothing where it is read; outside it would become a large array.
    for (int i = nodes.size() - 1; i >= 0; i--) {
      Expr e = nodes.get(i);
      if (inside.contains(e)) {
        for (Expr in : e.inputs()) {
          if (in.op() instanceof ShapeOp.Broadcast) {
            inside.add(in);
          }
        }
      }
    }
    Map<Expr, Expr> captured = new LinkedHashMap<>();
    List<Expr> params = new ArrayList<>(body.params());
    long[] id = {params.stream().mapToLong(Graph::parameterId).max().orElse(0) + 1};
    for (Expr e : nodes) {
      if (inside.contains(e)) {
        for (Expr in : e.inputs()) {
          captureOne(in, inside, captured, params, inputs, id);
        }
      }
    }
    for (Expr r : body.results()) {
      captureOne(r, inside, captured, params, inputs, id);
    }
    return captured.isEmpty()
        ? new Graph(params, body.results())
        : new Graph(params, Substitution.apply(body.results(), captured));
  }

  private static void captureOne(
      Expr e,
      Set<Expr> inside,
      Map<Expr, Expr> captured,
      List<Expr> params,
      List<Expr> inputs,
      long[] id) {
    boolean constant = e.op() instanceof LeafOp && !(e.op() instanceof LeafOp.Parameter);
    if (inside.contains(e) || constant || captured.containsKey(e)) {
      return;
    }
    if (e.types().size() > 1) {
      throw new IllegalStateException("a node with several results is used without projection");
    }
    Expr p = Expr.parameter(id[0]++, "captured", e.type());
    captured.put(e, p);
    params.add(p);
    inputs.add(e);
  }

  @SuppressWarnings({"unchecked", "rawtypes"})
  private static Tree<Expr>[] tree() {
    return new Tree[1];
  }
}
