package dev.vauban.tensor;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * A traced function from a tree of arrays to a tree of arrays, ready to be compiled.
 *
 * @param graph the traced graph; parameters are the input leaves in order, results the output
 *     leaves in order
 * @param inputs types of the inputs
 * @param outputs types of the outputs
 */
public record Program(Graph graph, Tree<Type> inputs, Tree<Type> outputs) {
  /**
   * Checks that the parts fit.
   *
   * @throws IllegalStateException if the graph is not closed
   * @throws ShapeException if the trees' types are not those of the graph
   */
  public Program {
    Verify.closed(graph);
    fit("inputs", inputs, graph.params());
    fit("outputs", outputs, graph.results());
  }

  private static void fit(String what, Tree<Type> types, List<Expr> nodes) {
    List<Type> actual = nodes.stream().map(Expr::type).toList();
    if (!types.leaves().equals(actual)) {
      throw new ShapeException(
          "program: " + what + " of " + types.leaves() + " for a graph that has " + actual);
    }
  }

  /** Traces {@code f} once on parameters of the given types. */
  public static Program trace(Tree<Type> inputs, Function<Tree<Expr>, Tree<Expr>> f) {
    List<Expr> params = new ArrayList<>();
    Tree<Expr> args =
        inputs.mapPaths((path, type) -> {
          Expr p = Expr.parameter(params.size(), path, type);
          params.add(p);
          return p;
        });
    Tree<Expr> out = f.apply(args);
    Graph graph = new Graph(params, out.leaves());
    return new Program(graph, inputs, out.map(Expr::type));
  }

  /** This program in another precision; of the same inputs and outputs. */
  public Program in(Precision precision) {
    return in(precision, product -> true);
  }

  /**
   * This program in another precision, for a device that does not gain by it everywhere.
   *
   * @param rounds whether the operands of this large product are rounded
   */
  Program in(Precision precision, Predicate<Expr> rounds) {
    return switch (precision) {
      case F32 -> this;
      case BF16 -> new Program(RoundedProducts.of(graph, rounds), inputs, outputs);
    };
  }

  /** The readable form of the graph. */
  @Override
  public String toString() {
    return graph.toString();
  }
}
