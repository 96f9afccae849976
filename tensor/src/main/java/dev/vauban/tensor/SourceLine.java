package dev.vauban.tensor;

import java.util.function.Supplier;

/** The user's source line of each node, for messages and prints. */
final class SourceLine {
  private static final ThreadLocal<String> INHERITED = new ThreadLocal<>();
  private static final StackWalker WALKER = StackWalker.getInstance();

  private SourceLine() {}

  /** The line that a node made now belongs to: the nearest frame outside the library's core. */
  static String current() {
    String inherited = INHERITED.get();
    return inherited != null
        ? inherited
        : WALKER.walk(frames ->
            frames
                .filter(f -> !isCore(f.getClassName()))
                .findFirst()
                .map(f -> f.getFileName() + ":" + f.getLineNumber())
                .orElse("?"));
  }

  /** Runs {@code work}; nodes made in it take the line of {@code node}. */
  static <T> T inherit(Expr node, Supplier<T> work) {
    String before = INHERITED.get();
    INHERITED.set(node.where());
    try {
      return work.get();
    } finally {
      INHERITED.set(before);
    }
  }

  private static boolean isCore(String className) {
    return (className.startsWith("dev.vauban.tensor.") && !className.endsWith("Test"))
        || className.startsWith("java.");
  }
}
