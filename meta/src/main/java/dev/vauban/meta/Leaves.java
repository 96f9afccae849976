package dev.vauban.meta;

/**
 * Some leaves of a weight tree, by path.
 *
 * @param choice how {@code path} is meant
 * @param path a subtree or leaf, for example {@code head}; ignored for {@link Choice#ALL}
 */
public record Leaves(Choice choice, String path) {
  /** How a path selects leaves. */
  public enum Choice {
    /** Every leaf. */
    ALL,
    /** The leaves at and below the path. */
    ONLY,
    /** All others. */
    EXCEPT
  }

  /** Every leaf. */
  public static final Leaves ALL = new Leaves(Choice.ALL, "");

  /** The leaves at and below {@code path}. */
  public static Leaves only(String path) {
    return new Leaves(Choice.ONLY, path);
  }

  /** The leaves that are not at or below {@code path}. */
  public static Leaves except(String path) {
    return new Leaves(Choice.EXCEPT, path);
  }

  /** Whether the leaf at {@code leaf} is among them. */
  public boolean contain(String leaf) {
    boolean below = leaf.equals(path) || leaf.startsWith(path + "/");
    return switch (choice) {
      case ALL -> true;
      case ONLY -> below;
      case EXCEPT -> !below;
    };
  }

  @Override
  public String toString() {
    return switch (choice) {
      case ALL -> "all weights";
      case ONLY -> "only " + path;
      case EXCEPT -> "all but " + path;
    };
  }
}
