package dev.vauban.nn;

import dev.vauban.tensor.Expr;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Tree;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Layers one after another. The weights of layer number k of its kind are the subtree {@code kind +
 * k}, counted from 1: {@code conv1, norm1, conv2, ...}. Layers without weights have none.
 *
 * @param kind the name under which an enclosing sequence files the weights
 * @param layers the layers, first to last
 */
public record Sequential(String kind, List<Layer> layers) implements Composite {
  /** Copies the list. */
  public Sequential {
    layers = List.copyOf(layers);
  }

  @Override
  public Shape output(Shape in) {
    Shape s = in;
    for (Layer layer : layers) {
      s = layer.output(s);
    }
    return s;
  }

  @Override
  public Tree<Weight> weights(Shape in) {
    Tree<Weight> out = Tree.empty();
    List<String> names = names();
    Shape s = in;
    for (int i = 0; i < layers.size(); i++) {
      Tree<Weight> w = layers.get(i).weights(s);
      if (w.size() > 0) {
        out = out.with(names.get(i), w);
      }
      s = layers.get(i).output(s);
    }
    return out;
  }

  @Override
  public Map<String, Layer> parts() {
    Map<String, Layer> parts = new LinkedHashMap<>();
    List<String> names = names();
    for (int i = 0; i < layers.size(); i++) {
      parts.put(names.get(i), layers.get(i));
    }
    return parts;
  }

  @Override
  public Expr apply(Tree<Expr> w, Expr x, Each each) {
    List<String> names = names();
    Expr y = x;
    for (int i = 0; i < layers.size(); i++) {
      Tree<Expr> own = w.children().getOrDefault(names.get(i), Tree.empty());
      y = each.apply(names.get(i), layers.get(i), own, y);
    }
    return y;
  }

  /** The name of each layer. */
  List<String> names() {
    Map<String, Integer> count = new HashMap<>();
    return layers.stream().map(l -> l.kind() + count.merge(l.kind(), 1, Integer::sum)).toList();
  }

  /** The layers in a line. */
  @Override
  public String toString() {
    return layers.stream().map(Layer::toString).collect(Collectors.joining(" - "));
  }
}
