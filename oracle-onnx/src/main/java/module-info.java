import dev.vauban.cli.oracle.OracleProvider;
import dev.vauban.oracle.onnx.OnnxProvider;

/** ONNX models as oracles of black-box attacks. */
module dev.vauban.oracle.onnx {
  requires dev.vauban.cli;
  requires dev.vauban.adversarial;
  requires com.microsoft.onnxruntime;

  exports dev.vauban.oracle.onnx;

  provides OracleProvider with
      OnnxProvider;
}
