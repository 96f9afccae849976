package dev.vauban.cli.oracle;

import dev.vauban.adversarial.blackbox.Oracle;
import java.nio.file.Path;

/**
 * Opens models in files of other runtimes as oracles. Found by {@link java.util.ServiceLoader}, so
 * that the runtime is a dependency of those alone who put the provider on the class path ({@code
 * oracle-onnx} is one).
 */
public interface OracleProvider {
  /** The ending of its files, for example {@code .onnx}. */
  String ending();

  /**
   * Opens a model.
   *
   * @param file the model
   * @param endpoint what is asked of it
   * @throws dev.vauban.adversarial.blackbox.OracleException if the file is no such model, or takes
   *     other images
   */
  Oracle open(Path file, Endpoint endpoint);
}
