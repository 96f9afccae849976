package dev.vauban.tensor;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Operations that hold programs, and the edges around them. */
public sealed interface ControlOp extends Op {

  /** The same value with gradient zero. */
  record StopGradient() implements ControlOp {
    @Override
    public List<Type> types(List<Expr> in) {
      return List.of(in.getFirst().type());
    }

    @Override
    public Expr[] gradient(Expr node, Expr[] ct) {
      return new Expr[] {null};
    }

    @Override
    public Expr batch(List<Expr> in, boolean[] mapped, int n) {
      return Expr.of(this, in);
    }
  }

  /** Result {@code index} of a node with several results. */
  record Project(int index) implements ControlOp {
    @Override
    public List<Type> types(List<Expr> in) {
      int n = in.getFirst().types().size();
      if (index < 0 || index >= n) {
        throw new ShapeException("project: there are " + n + " results and no result " + index);
      }
      return List.of(in.getFirst().types().get(index));
    }

    @Override
    public Expr[] gradient(Expr node, Expr[] ct) {
      throw new IllegalStateException("the reverse pass collects projections itself");
    }

    @Override
    public Expr batch(List<Expr> in, boolean[] mapped, int n) {
      return Expr.of(this, in);
    }
  }

  /** Several values as one node; only {@link Project} reads it, and simplification removes both. */
  record Tuple() implements ControlOp {
    @Override
    public int arity() {
      return ANY;
    }

    @Override
    public List<Type> types(List<Expr> in) {
      return in.stream().map(Expr::type).toList();
    }

    @Override
    public Expr[] gradient(Expr node, Expr[] ct) {
      return ct;
    }

    @Override
    public Expr batch(List<Expr> in, boolean[] mapped, int n) {
      return Expr.of(this, Batching.all(in, mapped, n));
    }
  }

  /**
   * {@code body} applied to each of {@code size} elements: the first {@code mapped} inputs carry
   * the elements along their first dimension, the others are shared; every result carries them
   * again. Elements are independent and may run in any order or at once.
   */
  record Map(Graph body, int size, int mapped) implements ControlOp {
    /** Checks the numbers. */
    public Map {
      if (size < 0 || mapped < 0 || mapped > body.params().size()) {
        throw new ShapeException(
            "map: %d of %d inputs mapped over %d elements"
                .formatted(mapped, body.params().size(), size));
      }
    }

    @Override
    public int arity() {
      return body.params().size();
    }

    @Override
    public List<Type> types(List<Expr> in) {
      for (int i = 0; i < in.size(); i++) {
        Type param = body.params().get(i).type();
        Type expected = i < mapped ? param.with(param.shape().prepend(size)) : param;
        if (!in.get(i).type().equals(expected)) {
          throw Errors.shapes(label(), "input " + i + " should be " + expected, in);
        }
      }
      return body.results().stream().map(r -> r.type().with(r.shape().prepend(size))).toList();
    }

    @Override
    public Expr[] gradient(Expr node, Expr[] ct) {
      List<Expr> params = new ArrayList<>(body.params());
      List<Expr> inputs = new ArrayList<>(node.inputs());
      // The cotangents of the results become mapped inputs of a new Map.
      long id = params.stream().mapToLong(Graph::parameterId).max().orElse(0) + 1;
      Expr[] inner = new Expr[ct.length];
      int outer = mapped;
      for (int i = 0; i < ct.length; i++) {
        if (ct[i] != null) {
          inner[i] = Expr.parameter(id++, "ct" + i, body.results().get(i).type());
          params.add(outer, inner[i]);
          inputs.add(outer, ct[i]);
          outer++;
        }
      }
      Expr[] g =
          Reverse.cotangents(
              body.results().toArray(Expr[]::new), inner, body.params().toArray(Expr[]::new));
      List<Expr> results = Arrays.stream(g).filter(e -> e != null).toList();
      Expr[] out = new Expr[g.length];
      if (results.isEmpty()) {
        return out;
      }
      List<Expr> each = Vmap.map(new Graph(params, results), size, outer, inputs);
      int k = 0;
      for (int i = 0; i < g.length; i++) {
        if (g[i] != null) {
          Expr e = each.get(k++);
          out[i] = i < mapped ? e : e.sum(0);
        }
      }
      return out;
    }

    /** Expands this node into batched operations and batches those. */
    @Override
    public Expr batch(List<Expr> in, boolean[] isMapped, int n) {
      return Vmap.batchBody(in, isMapped, n, elements -> Vmap.expand(body, size, mapped, elements));
    }
  }

  /**
   * {@code body} applied {@code steps} times to a state. Inputs: the initial state, then shared
   * values. Body parameters: the step number (I32 scalar), the state, the shared values; body
   * results: the next state. Results: the final state. Not differentiable: stop the gradient.
   */
  record Loop(Graph body, int steps, int states) implements ControlOp {
    /** Checks the numbers. */
    public Loop {
      if (steps < 0 || states != body.results().size() || states >= body.params().size()) {
        throw new ShapeException(
            "loop: %d steps of %d states, by a body from %d values to %d"
                .formatted(steps, states, body.params().size(), body.results().size()));
      }
    }

    @Override
    public int arity() {
      return body.params().size() - 1; // without the step number
    }

    @Override
    public List<Type> types(List<Expr> in) {
      if (!body.params().getFirst().type().equals(Type.i32())) {
        throw Errors.shapes(label(), "the body's first value is the step number, i32[]", in);
      }
      for (int i = 0; i < in.size(); i++) {
        Type param = body.params().get(i + 1).type();
        if (!in.get(i).type().equals(param)) {
          throw Errors.shapes(label(), "input " + i + " should be " + param, in);
        }
      }
      for (int i = 0; i < states; i++) {
        Type t = in.get(i).type();
        if (!body.results().get(i).type().equals(t)) {
          throw Errors.shapes(
              label(), "the step turns state " + i + " into " + body.results().get(i).type(), in);
        }
      }
      return in.subList(0, states).stream().map(Expr::type).toList();
    }

    @Override
    public Expr[] gradient(Expr node, Expr[] ct) {
      throw new UnsupportedOperationException(
          "repeat: a loop of "
              + steps
              + " steps has no gradient; call stopGradient() on its result or unroll it ("
              + node.where()
              + ")");
    }

    /** A loop over batched states; every state becomes mapped, shared values stay as they are. */
    @Override
    public Expr batch(List<Expr> in, boolean[] isMapped, int n) {
      boolean[] bodyMapped = new boolean[body.params().size()];
      List<Expr> inputs = new ArrayList<>();
      List<Expr> params = new ArrayList<>();
      params.add(body.params().getFirst());
      for (int i = 0; i < in.size(); i++) {
        Expr p = body.params().get(i + 1);
        bodyMapped[i + 1] = i < states || isMapped[i];
        boolean repeated = bodyMapped[i + 1] && !isMapped[i];
        inputs.add(repeated ? Batching.repeat(in.get(i), n) : in.get(i));
        params.add(
            bodyMapped[i + 1]
                ? Expr.parameter(
                    Graph.parameterId(p), "batched", p.type().with(p.shape().prepend(n)))
                : p);
      }
      List<Expr> next = Vmap.batchGraph(body, params, bodyMapped, n);
      return Expr.of(new Loop(new Graph(params, next), steps, states), inputs);
    }
  }
}
