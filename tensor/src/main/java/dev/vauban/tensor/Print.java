package dev.vauban.tensor;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The readable form of graphs. */
final class Print {
  private Print() {}

  /** One line per node: name, type, operation with inputs, source line; bodies are indented. */
  static String graph(Graph g) {
    StringBuilder s = new StringBuilder();
    graph(g, "", s);
    return s.toString();
  }

  private static void graph(Graph g, String indent, StringBuilder s) {
    Map<Expr, String> names = new HashMap<>();
    for (Expr p : g.params()) {
      String name = "p" + names.size();
      names.put(p, name);
      LeafOp.Parameter op = (LeafOp.Parameter) p.op();
      s.append("%s%-5s %-18s param %s%n".formatted(indent, name, p.type(), op.name()));
    }
    int next = 0;
    for (Expr e : g.nodes()) {
      if (names.containsKey(e)) {
        continue;
      }
      String name = "%" + next++;
      names.put(e, name);
      String type = e.types().size() == 1 ? e.type().toString() : "(" + e.types().size() + ")";
      s.append("%s%-5s %-18s %s%n".formatted(indent, name, type, body(e, names)));
      if (e.op() instanceof ControlOp.Map m) {
        graph(m.body(), indent + "  | ", s);
      } else if (e.op() instanceof ControlOp.Loop l) {
        graph(l.body(), indent + "  | ", s);
      }
    }
    s.append(indent).append("-> ").append(list(g.results(), names)).append('\n');
  }

  private static String body(Expr e, Map<Expr, String> names) {
    String attributes =
        switch (e.op()) {
          case LeafOp.Fill f -> " " + f.value();
          case LeafOp.Data d -> " " + d.values();
          case LeafOp.Iota i -> " axis " + i.axis();
          case ElementOp.Cast c -> " " + c.to().label();
          case ShapeOp.Transpose t -> " " + t.perm();
          case ShapeOp.Broadcast b -> " axes " + b.axes();
          case ShapeOp.Slice s -> " " + s.starts() + ":" + s.stops() + ":" + s.strides();
          case ShapeOp.Pad p -> " " + p.low() + "," + p.high() + "," + p.interior();
          case ShapeOp.Concat c -> " axis " + c.axis();
          case ReduceOp.Reduce r -> " " + r.axes();
          case ReduceOp.Variance v -> " " + v.axes();
          case ReduceOp.ArgReduce r -> " axis " + r.axis();
          case ReduceOp.ArgSort r -> " axis " + r.axis() + " first " + r.k();
          case ContractOp.Contract c ->
              " batch %s,%s sum %s,%s"
                  .formatted(c.leftBatch(), c.rightBatch(), c.leftSum(), c.rightSum());
          case ConvOp c -> " " + c.window() + (c.groups() > 1 ? " groups " + c.groups() : "");
          case PoolOp p -> " %dx%d %s".formatted(p.window().h(), p.window().w(), p.window().move());
          case IndexOp.Gather g -> " axis " + g.axis();
          case IndexOp.ScatterAdd a -> " axis " + a.axis();
          case RandomOp.Random r -> " " + r.distribution();
          case ControlOp.Map m -> " over " + m.size();
          case ControlOp.Loop l -> " " + l.steps() + " times";
          case ControlOp.Project p -> " " + p.index();
          default -> "";
        };
    String in = e.inputs().isEmpty() ? "" : " " + list(e.inputs(), names);
    return e.op().label() + attributes + in + "   # " + e.where();
  }

  private static String list(List<Expr> es, Map<Expr, String> names) {
    StringBuilder s = new StringBuilder();
    for (Expr e : es) {
      s.append(s.isEmpty() ? "" : " ").append(names.getOrDefault(e, "?"));
    }
    return s.toString();
  }
}
