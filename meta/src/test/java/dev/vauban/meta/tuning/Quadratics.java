package dev.vauban.meta.tuning;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;

/**
 * |A v - b|^2 / n for random A [n,n] and b [n] (Andrychowicz et al. 2016, section 3.1). The unseen
 * data is the same A with a b that differs by {@code noise}.
 */
record Quadratics(String name, int n, double noise, Key key) implements Problems {
  @Override
  public Tree<Type> own() {
    return Tree.of("a", Type.f32(n, n), "b", Type.f32(n), "unseen", Type.f32(n));
  }

  @Override
  public void fill(long first, Tree<Tensor> problems) {
    long tasks = problems.get("b").shape().dim(0);
    for (long t = 0; t < tasks; t++) {
      Key one = key.fold(first + t);
      for (long i = 0; i < (long) n * n; i++) {
        problems.get("a").set(t * n * n + i, one.fold(0).normal(i) / Math.sqrt(n));
      }
      for (long i = 0; i < n; i++) {
        double b = one.fold(1).normal(i);
        problems.get("b").set(t * n + i, b);
        problems.get("unseen").set(t * n + i, b + noise * one.fold(2).normal(i));
      }
    }
  }

  @Override
  public Tree<Type> variables() {
    return Tree.of("v", Type.f32(n));
  }

  @Override
  public Expr loss(Tree<Expr> variables, Part part, Tree<Expr> shared, Tree<Expr> own) {
    Expr v = variables.get("v").reshape(n, 1);
    Expr target = own.get(part == Part.TUNED_ON ? "b" : "unseen");
    return own.get("a").matmul(v).reshape(n).sub(target).square().mean();
  }

  @Override
  public int queries() {
    return 1;
  }
}
