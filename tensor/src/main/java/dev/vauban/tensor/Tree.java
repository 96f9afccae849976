package dev.vauban.tensor;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * An immutable tree with named children and values at its leaves: the one container for weights,
 * gradients, optimiser state, batches and checkpoints. Paths join names with {@code /}, for example
 * {@code conv1/w}. The order of children is the order in which they were given.
 *
 * @param <T> what the leaves hold
 */
public final class Tree<T> {
  private final T value;
  private final Map<String, Tree<T>> children;

  private Tree(T value, Map<String, Tree<T>> children) {
    this.value = value;
    this.children = children;
  }

  /** A tree that is a single leaf. */
  public static <T> Tree<T> leaf(T value) {
    return new Tree<>(Objects.requireNonNull(value), null);
  }

  /** A tree without leaves. */
  public static <T> Tree<T> empty() {
    return new Tree<>(null, Map.of());
  }

  /** A tree of these children, in the map's order. */
  public static <T> Tree<T> of(Map<String, Tree<T>> children) {
    children.keySet().forEach(Tree::checkName);
    return new Tree<>(null, Collections.unmodifiableMap(new LinkedHashMap<>(children)));
  }

  /** A tree with one child. */
  public static <T> Tree<T> of(String name, Tree<T> child) {
    return Tree.<T>empty().with(name, child);
  }

  /** A tree of leaves: one child. */
  public static <T> Tree<T> of(String name, T value) {
    return Tree.<T>empty().with(name, value);
  }

  /** A tree of leaves: two children. */
  public static <T> Tree<T> of(String name1, T value1, String name2, T value2) {
    return Tree.of(name1, value1).with(name2, value2);
  }

  /** A tree of leaves: three children. */
  public static <T> Tree<T> of(
      String name1, T value1, String name2, T value2, String name3, T value3) {
    return Tree.of(name1, value1, name2, value2).with(name3, value3);
  }

  /** A tree of leaves given as (path, value) pairs; paths may contain {@code /}. */
  public static <T> Tree<T> ofPaths(Map<String, T> leaves) {
    Tree<T> tree = empty();
    for (Map.Entry<String, T> e : leaves.entrySet()) {
      tree = tree.withPath(e.getKey(), e.getValue());
    }
    return tree;
  }

  private static void checkName(String name) {
    if (name.isEmpty() || name.contains("/")) {
      throw new IllegalArgumentException("'" + name + "' is no name for a tree's child");
    }
  }

  /** True if this tree is a single leaf. */
  public boolean isLeaf() {
    return children == null;
  }

  /**
   * The value of a leaf.
   *
   * @throws IllegalStateException if this tree has children
   */
  public T value() {
    if (!isLeaf()) {
      throw new IllegalStateException("not a leaf but a tree of " + children.keySet());
    }
    return value;
  }

  /** The children by name, in order; empty for a leaf. */
  public Map<String, Tree<T>> children() {
    return isLeaf() ? Map.of() : children;
  }

  /** True if there is a subtree or leaf at {@code path}. */
  public boolean has(String path) {
    Tree<T> t = this;
    for (String name : path.split("/")) {
      t = t.children().get(name);
      if (t == null) {
        return false;
      }
    }
    return true;
  }

  /**
   * The subtree at {@code path}.
   *
   * @throws IllegalArgumentException if there is none; the message lists the names that exist
   */
  public Tree<T> sub(String path) {
    Tree<T> t = this;
    for (String name : path.split("/")) {
      Tree<T> next = t.children().get(name);
      if (next == null) {
        throw new IllegalArgumentException(
            "no '" + name + "' in '" + path + "'; there is " + t.children().keySet());
      }
      t = next;
    }
    return t;
  }

  /** The leaf value at {@code path}. */
  public T get(String path) {
    return sub(path).value();
  }

  /** This tree with child {@code name} added or replaced. */
  public Tree<T> with(String name, Tree<T> child) {
    checkName(name);
    if (isLeaf()) {
      throw new IllegalStateException("a leaf has no children");
    }
    Map<String, Tree<T>> c = new LinkedHashMap<>(children);
    c.put(name, child);
    return new Tree<>(null, Collections.unmodifiableMap(c));
  }

  /** This tree with leaf {@code name} added or replaced. */
  public Tree<T> with(String name, T value) {
    return with(name, leaf(value));
  }

  private Tree<T> withPath(String path, T value) {
    int slash = path.indexOf('/');
    if (slash < 0) {
      return with(path, value);
    }
    String head = path.substring(0, slash);
    Tree<T> child = children().getOrDefault(head, empty());
    return with(head, child.withPath(path.substring(slash + 1), value));
  }

  /** The leaves in order. */
  public List<T> leaves() {
    List<T> out = new ArrayList<>();
    forEach(out::add);
    return out;
  }

  /** The leaves with their paths, in order. A single leaf has the empty path. */
  public Map<String, T> paths() {
    Map<String, T> out = new LinkedHashMap<>();
    mapPaths((p, v) -> {
      out.put(p, v);
      return v;
    });
    return out;
  }

  /** Number of leaves. */
  public int size() {
    return leaves().size();
  }

  /** Calls {@code f} with each leaf in order. */
  public void forEach(Consumer<? super T> f) {
    if (isLeaf()) {
      f.accept(value);
    } else {
      children.values().forEach(c -> c.forEach(f));
    }
  }

  /** A tree of the same structure with {@code f} of each leaf. */
  public <R> Tree<R> map(Function<? super T, ? extends R> f) {
    return mapPaths((path, v) -> f.apply(v));
  }

  /** A tree of the same structure with {@code f} of each leaf's path and value. */
  public <R> Tree<R> mapPaths(BiFunction<String, ? super T, ? extends R> f) {
    return mapPaths("", f);
  }

  private <R> Tree<R> mapPaths(String prefix, BiFunction<String, ? super T, ? extends R> f) {
    if (isLeaf()) {
      return leaf(f.apply(prefix, value));
    }
    Map<String, Tree<R>> c = new LinkedHashMap<>();
    children.forEach((name, child) ->
        c.put(name, child.mapPaths(prefix.isEmpty() ? name : prefix + "/" + name, f)));
    return new Tree<>(null, Collections.unmodifiableMap(c));
  }

  /**
   * Combines two trees of the same structure leaf by leaf.
   *
   * @throws IllegalArgumentException if the structures differ
   */
  public <U, R> Tree<R> zip(Tree<U> other, BiFunction<? super T, ? super U, ? extends R> f) {
    if (isLeaf() && other.isLeaf()) {
      return leaf(f.apply(value, other.value));
    }
    if (isLeaf() || other.isLeaf() || !children.keySet().equals(other.children.keySet())) {
      throw new IllegalArgumentException(
          "trees differ: " + children().keySet() + " and " + other.children().keySet());
    }
    Map<String, Tree<R>> c = new LinkedHashMap<>();
    children.forEach((name, child) -> c.put(name, child.zip(other.children.get(name), f)));
    return new Tree<>(null, Collections.unmodifiableMap(c));
  }

  /** True if {@code other} has the same names in the same places. */
  public boolean sameStructure(Tree<?> other) {
    return paths().keySet().equals(other.paths().keySet());
  }

  @Override
  public boolean equals(Object o) {
    return o instanceof Tree<?> t
        && Objects.equals(value, t.value)
        && Objects.equals(children, t.children);
  }

  @Override
  public int hashCode() {
    return Objects.hash(value, children);
  }

  /** One line per leaf: path and value. */
  @Override
  public String toString() {
    if (isLeaf()) {
      return String.valueOf(value);
    }
    StringBuilder s = new StringBuilder();
    paths().forEach((p, v) -> s.append(p).append(' ').append(v).append('\n'));
    return s.toString();
  }
}
