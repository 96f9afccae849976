package dev.vauban.natives.load;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** The system's dynamic linker, with a look at files before it sees them, and its words after. */
final class DynamicLinker {
  private static final System.Logger LOG = System.getLogger("dev.vauban.natives");

  private DynamicLinker() {}

  /** A library that cannot be opened; the message says why, without the file's name. */
  static final class Refusal extends Exception {
    private static final long serialVersionUID = 1L;

    Refusal(String why, Throwable cause) {
      super(why, cause);
    }
  }

  /** Opens a file, for as long as the JVM lives. */
  static SymbolLookup open(Path file) throws Refusal {
    try {
      if (System.getProperty("os.name").equals("Linux")) {
        Optional<String> defect = ElfFile.defect(file);
        if (defect.isPresent()) {
          throw new Refusal(defect.get(), null);
        }
      }
      return SymbolLookup.libraryLookup(file, Arena.global());
    } catch (IllegalArgumentException e) {
      throw new Refusal(complaint(file), e);
    } catch (IOException e) {
      throw new Refusal("it cannot be read (" + e.getMessage() + ")", e);
    }
  }

  /** Opens what the linker finds under this name; empty if it finds nothing. */
  static Optional<SymbolLookup> find(String name) {
    try {
      return Optional.of(SymbolLookup.libraryLookup(name, Arena.global()));
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
  }

  /** The file behind a name that the linker resolved; the name itself where that is not known. */
  static String file(String name) {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/self/maps"))) {
        int slash = line.indexOf('/');
        if (slash >= 0 && line.substring(slash).contains("/" + name)) {
          return line.substring(slash);
        }
      }
    } catch (IOException e) {
      LOG.log(System.Logger.Level.DEBUG, "/proc/self/maps cannot be read", e);
    }
    return name;
  }

  /** What the linker has against {@code file}; only System.load passes its words on. */
  private static String complaint(Path file) {
    try {
      System.load(file.toString());
      return "it cannot be opened as a shared library";
    } catch (UnsatisfiedLinkError e) {
      String message = e.getMessage();
      String prefix = file + ": ";
      return "the dynamic linker says: "
          + (message.startsWith(prefix) ? message.substring(prefix.length()) : message);
    }
  }
}
