package dev.vauban.bench.peers;

import dev.vauban.bench.peers.python.Python;
import dev.vauban.cli.config.Named;
import dev.vauban.cli.failure.CommandException;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceLoader;
import java.util.function.Consumer;

/** Which other frameworks run the same steps, as {@code --peers} says. */
public enum Peers implements Named {
  /** None. */
  NONE("none"),
  /** libtorch through the JVM. */
  JVM("jvm"),
  /** The torch of the Python on the PATH. */
  PYTHON("python"),
  /** Those of the above that are there. */
  ALL("all");

  private static final String NO_JVM =
      "libtorch for the JVM is not on the class path; './vauban bench --peers jvm' downloads it"
          + " (about 110 MB, once) and builds with it";

  private final String label;

  Peers(String label) {
    this.label = label;
  }

  @Override
  public String label() {
    return label;
  }

  /**
   * Opens the frameworks; the caller closes them.
   *
   * @param notice told, with {@link #ALL}, of each that is not there
   * @throws CommandException exit 3, if one that was asked for is not there
   */
  public List<Framework> open(Consumer<String> notice) {
    List<Framework> found = new ArrayList<>();
    List<String> missing = new ArrayList<>();
    try {
      if (this == JVM || this == ALL) {
        found.addAll(jvm(missing));
      }
      if (this == PYTHON || this == ALL) {
        found.addAll(Python.find(System.getenv("PATH"), missing::add));
      }
    } catch (PeerException e) {
      throw CommandException.environment(e.getMessage(), e);
    }
    if (found.isEmpty() && !missing.isEmpty()) {
      throw CommandException.environment(String.join("; ", missing), null);
    }
    missing.forEach(notice);
    return found;
  }

  private static List<Framework> jvm(List<String> missing) {
    List<Framework> found = new ArrayList<>();
    for (Framework f : ServiceLoader.load(Framework.class, Peers.class.getClassLoader())) {
      f.load();
      found.add(f);
    }
    if (found.isEmpty()) {
      missing.add(NO_JVM);
    }
    return found;
  }
}
