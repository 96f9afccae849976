package dev.vauban.bench.peers.python;

import dev.vauban.bench.peers.BatchStep;
import dev.vauban.bench.peers.Framework;
import dev.vauban.bench.peers.MetaStep;
import dev.vauban.bench.peers.PeerProgram;
import dev.vauban.bench.peers.PeerStep;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * PyTorch in the first Python of the PATH that has it.
 *
 * @param interpreter the Python
 * @param version of its torch
 */
public record Python(Path interpreter, String version) implements Framework {
  private static final List<String> NAMES = List.of("python3", "python");
  private static final long IMPORT_SECONDS = 120; // from a cold disk

  /**
   * Looks for a Python with torch.
   *
   * @param path folders, as in the environment variable PATH; may be null
   * @param missing told, in one sentence, if there is none
   */
  public static List<Framework> find(String path, Consumer<String> missing) {
    List<Path> seen = new ArrayList<>();
    for (String name : NAMES) {
      for (String folder : (path == null ? "" : path).split(File.pathSeparator)) {
        Path python = Path.of(folder.isEmpty() ? "." : folder, name);
        if (Files.isExecutable(python) && !Files.isDirectory(python)) {
          String version = torch(python);
          if (!version.isEmpty()) {
            return List.of(new Python(python, version));
          }
          seen.add(python);
        }
      }
    }
    missing.accept(
        seen.isEmpty()
            ? "there is no Python on the PATH"
            : "no Python on the PATH has torch (asked "
                + String.join(", ", seen.stream().map(Path::toString).toList())
                + "); 'pip install torch' brings it");
    return List.of();
  }

  /** The version of a Python's torch; empty if it has none. */
  private static String torch(Path python) {
    try {
      Process p =
          new ProcessBuilder(python.toString(), "-c", "import torch; print(torch.__version__)")
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      p.getOutputStream().close();
      if (!p.waitFor(IMPORT_SECONDS, TimeUnit.SECONDS)) {
        p.destroyForcibly();
        return "";
      }
      String out = new String(p.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      return p.exitValue() == 0 ? out : "";
    } catch (IOException e) {
      return "";
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "";
    }
  }

  @Override
  public String name() {
    return "PyTorch " + version + " (Python)";
  }

  @Override
  public void load() {}

  /** Of meta-steps only. */
  @Override
  public List<PeerStep> ways(PeerProgram program, int threads) {
    return switch (program) {
      case MetaStep step -> PythonSession.start(this, step, threads).ways();
      case BatchStep step -> List.of();
    };
  }
}
