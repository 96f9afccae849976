package dev.vauban.oracle.onnx;

import dev.vauban.adversarial.blackbox.Oracle;
import dev.vauban.cli.oracle.Endpoint;
import dev.vauban.cli.oracle.OracleProvider;
import java.nio.file.Path;

/** Opens {@code .onnx} files. */
public final class OnnxProvider implements OracleProvider {
  /** For {@link java.util.ServiceLoader}. */
  public OnnxProvider() {}

  @Override
  public String ending() {
    return ".onnx";
  }

  @Override
  public Oracle open(Path file, Endpoint endpoint) {
    return new OnnxOracle(file, endpoint);
  }
}
