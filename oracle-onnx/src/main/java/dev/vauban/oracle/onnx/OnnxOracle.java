package dev.vauban.oracle.onnx;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import dev.vauban.adversarial.blackbox.Answers;
import dev.vauban.adversarial.blackbox.Oracle;
import dev.vauban.adversarial.blackbox.OracleException;
import dev.vauban.adversarial.blackbox.OracleException.Kind;
import dev.vauban.cli.oracle.Endpoint;
import dev.vauban.tensor.Shape;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * A model of one input of floats: [N,H,W,C], [N,C,H,W] or [N,H*W*C] (rows of pixels, channels
 * last), and a first output of scores [N,classes] or, if labels are asked for, of whole numbers
 * [N]. N may be open or fixed; a fixed batch is filled up. Pixels are given in [0,1]: whatever else
 * the model wants done to them must be part of it.
 */
public final class OnnxOracle implements Oracle {
  private final Path file;
  private final Endpoint endpoint;
  private final OrtEnvironment environment = OrtEnvironment.getEnvironment("vauban");
  private final OrtSession session;
  private final String input;
  private final Layout layout;
  private final int fixedBatch;

  /** How the model lays out an image. */
  private enum Layout {
    CHANNELS_LAST,
    CHANNELS_FIRST,
    FLAT
  }

  /**
   * Opens a model.
   *
   * @throws OracleException that lasts, if the file is no model or takes other images
   */
  public OnnxOracle(Path file, Endpoint endpoint) {
    this.file = file;
    this.endpoint = endpoint;
    OrtSession opened = null;
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      opened = environment.createSession(file.toString(), options);
      List<NodeInfo> inputs = List.copyOf(opened.getInputInfo().values());
      if (inputs.size() != 1 || !(inputs.get(0).getInfo() instanceof TensorInfo info)) {
        throw refuse("has " + inputs.size() + " inputs; one of images is needed");
      }
      if (info.type != OnnxJavaType.FLOAT) {
        throw refuse("takes " + info.type + ", not floats");
      }
      this.input = inputs.get(0).getName();
      this.layout = layout(info.getShape());
      this.fixedBatch = (int) Math.max(0, info.getShape()[0]);
      this.session = opened;
    } catch (OrtException e) {
      throw new OracleException(
          Kind.LASTING, file + " is no model that ONNX Runtime opens: " + e.getMessage(), e);
    } catch (OracleException e) {
      close(opened);
      throw e;
    }
  }

  private Layout layout(long[] shape) {
    Shape image = endpoint.image();
    long h = image.dim(0);
    long w = image.dim(1);
    long c = image.dim(2);
    if (fits(shape, h, w, c)) {
      return Layout.CHANNELS_LAST;
    }
    if (fits(shape, c, h, w)) {
      return Layout.CHANNELS_FIRST;
    }
    if (fits(shape, h * w * c)) {
      return Layout.FLAT;
    }
    throw refuse(
        "takes arrays of %s, which images of %dx%dx%d do not fit"
            .formatted(Arrays.toString(shape), h, w, c));
  }

  /** Whether the axes after the first are these; a negative size is open. */
  private static boolean fits(long[] shape, long... axes) {
    if (shape.length != axes.length + 1) {
      return false;
    }
    for (int i = 0; i < axes.length; i++) {
      if (shape[i + 1] >= 0 && shape[i + 1] != axes[i]) {
        return false;
      }
    }
    return true;
  }

  private OracleException refuse(String what) {
    return new OracleException(Kind.LASTING, file + " " + what);
  }

  @Override
  public Reply reply() {
    return endpoint.reply();
  }

  @Override
  public Shape image() {
    return endpoint.image();
  }

  @Override
  public int classes() {
    return endpoint.classes();
  }

  @Override
  public int largestBatch() {
    return fixedBatch == 0 ? endpoint.batch() : fixedBatch;
  }

  @Override
  public Answers ask(float[][] images) {
    int n = fixedBatch == 0 ? images.length : fixedBatch;
    int size = (int) endpoint.image().size();
    float[] batch = new float[n * size];
    for (int i = 0; i < images.length; i++) {
      System.arraycopy(laidOut(images[i]), 0, batch, i * size, size);
    }
    try (OnnxTensor x = OnnxTensor.createTensor(environment, FloatBuffer.wrap(batch), shape(n));
        OrtSession.Result result = session.run(Map.of(input, x))) {
      return answers(result.get(0).getValue(), images.length);
    } catch (OrtException e) {
      throw new OracleException(Kind.LASTING, file + " cannot be run: " + e.getMessage(), e);
    }
  }

  private long[] shape(long n) {
    Shape image = endpoint.image();
    return switch (layout) {
      case CHANNELS_LAST -> new long[] {n, image.dim(0), image.dim(1), image.dim(2)};
      case CHANNELS_FIRST -> new long[] {n, image.dim(2), image.dim(0), image.dim(1)};
      case FLAT -> new long[] {n, image.size()};
    };
  }

  private float[] laidOut(float[] image) {
    int channels = endpoint.image().dim(2);
    if (layout != Layout.CHANNELS_FIRST || channels == 1) {
      return image;
    }
    int pixels = image.length / channels;
    float[] planes = new float[image.length];
    for (int p = 0; p < pixels; p++) {
      for (int c = 0; c < channels; c++) {
        planes[c * pixels + p] = image[p * channels + c];
      }
    }
    return planes;
  }

  private Answers answers(Object value, int asked) {
    if (endpoint.reply() == Reply.SCORES && value instanceof float[][] rows) {
      double[][] scores = new double[Math.min(asked, rows.length)][];
      for (int i = 0; i < scores.length; i++) {
        scores[i] = new double[rows[i].length];
        for (int c = 0; c < scores[i].length; c++) {
          scores[i][c] = rows[i][c];
        }
      }
      return Answers.ofScores(scores);
    }
    if (endpoint.reply() == Reply.LABELS && value instanceof long[] labels) {
      return Answers.ofLabels(Arrays.stream(labels).limit(asked).mapToInt(l -> (int) l).toArray());
    }
    throw refuse(
        "answers with %s, not with %s"
            .formatted(
                value.getClass().getSimpleName(),
                endpoint.reply() == Reply.SCORES
                    ? "scores, floats [N,classes]"
                    : "labels, whole numbers [N]"));
  }

  private static void close(OrtSession session) {
    try {
      if (session != null) {
        session.close();
      }
    } catch (OrtException e) {
      // It was not to be used anyway.
    }
  }

  @Override
  public void close() {
    close(session);
  }
}
