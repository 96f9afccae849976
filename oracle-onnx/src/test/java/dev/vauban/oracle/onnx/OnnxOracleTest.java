package dev.vauban.oracle.onnx;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.vauban.adversarial.blackbox.Answers;
import dev.vauban.adversarial.blackbox.Campaign;
import dev.vauban.adversarial.blackbox.Draw;
import dev.vauban.adversarial.blackbox.Oracle;
import dev.vauban.adversarial.blackbox.OracleException;
import dev.vauban.adversarial.blackbox.QueryResult;
import dev.vauban.adversarial.blackbox.Square;
import dev.vauban.adversarial.blackbox.Threat;
import dev.vauban.cli.oracle.Endpoint;
import dev.vauban.cli.oracle.OracleProvider;
import dev.vauban.tensor.Key;
import dev.vauban.tensor.Shape;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A linear model in a file, against its sums by hand. */
class OnnxOracleTest {
  private static final int H = 4;
  private static final int W = 3;
  private static final int C = 2;
  private static final int CLASSES = 3;
  private static final Endpoint ENDPOINT =
      new Endpoint(Shape.of(H, W, C), CLASSES, Oracle.Reply.SCORES, 16, Duration.ofSeconds(5));

  @TempDir Path folder;
  private final float[] w = floats(H * W * C * CLASSES, 1);
  private final float[] b = floats(CLASSES, 2);

  private static float[] floats(int count, long seed) {
    double[] normals = new Draw(Key.of(seed)).normals(count);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) normals[i];
    }
    return values;
  }

  /** The weights in the order of planes. */
  private float[] planes() {
    float[] planes = new float[w.length];
    for (int p = 0; p < H * W; p++) {
      for (int c = 0; c < C; c++) {
        System.arraycopy(w, (p * C + c) * CLASSES, planes, (c * H * W + p) * CLASSES, CLASSES);
      }
    }
    return planes;
  }

  private Path file(String layout, long n) throws Exception {
    boolean first = layout.equals("first");
    long[] shape =
        switch (layout) {
          case "first" -> new long[] {n, C, H, W};
          case "last" -> new long[] {n, H, W, C};
          default -> new long[] {n, H * W * C};
        };
    Path file = folder.resolve(layout + n + ".onnx");
    return Files.write(file, LinearModelFile.of(shape, CLASSES, first ? planes() : w, b));
  }

  @ParameterizedTest
  @CsvSource({"last, -1", "first, -1", "flat, -1", "first, 4", "last, 1"})
  void answersAreTheModelsWhateverItsLayoutAndBatch(String layout, long n) throws Exception {
    try (Oracle oracle = new OnnxOracle(file(layout, n), ENDPOINT)) {
      assertThat(oracle.largestBatch()).isEqualTo(n < 0 ? 16 : (int) n);
      int count = Math.min(3, oracle.largestBatch());
      float[][] images = new float[count][];
      for (int i = 0; i < count; i++) {
        images[i] = floats(H * W * C, 10 + i);
      }
      Answers answers = oracle.ask(images);
      assertThat(answers.count()).isEqualTo(count);
      for (int i = 0; i < count; i++) {
        for (int c = 0; c < CLASSES; c++) {
          double sum = b[c];
          for (int p = 0; p < H * W * C; p++) {
            sum += images[i][p] * w[p * CLASSES + c];
          }
          assertThat(answers.scores()[i][c]).isCloseTo(sum, within(1e-5));
        }
      }
    }
  }

  @Test
  void squareFoolsIt() throws Exception {
    OracleProvider provider = ServiceLoader.load(OracleProvider.class).findFirst().orElseThrow();
    try (Oracle oracle = provider.open(file("first", -1), ENDPOINT)) {
      float[][] images = new float[5][H * W * C];
      for (int i = 0; i < images.length; i++) {
        Draw draw = new Draw(Key.of(i));
        for (int p = 0; p < H * W * C; p++) {
          images[i][p] = (float) draw.uniform();
        }
      }
      int[] labels = oracle.ask(images).labels();
      QueryResult result =
          new Campaign(new Square(), Threat.linf(0.6), 300).run(oracle, images, labels, Key.of(1));
      assertThat(result.ended()).isEmpty();
      assertThat(result.successCount()).isEqualTo(5);
    }
  }

  @Test
  void otherFilesAndOtherImagesAreRefusedInOneSentence() throws Exception {
    Path text = Files.writeString(folder.resolve("text.onnx"), "not a model");
    assertThatThrownBy(() -> new OnnxOracle(text, ENDPOINT))
        .isInstanceOf(OracleException.class)
        .hasMessageStartingWith(text + " is no model that ONNX Runtime opens: ");
    Endpoint larger =
        new Endpoint(Shape.of(9, 9, 1), 3, Oracle.Reply.SCORES, 16, Duration.ofSeconds(5));
    assertThatThrownBy(() -> new OnnxOracle(file("first", -1), larger))
        .hasMessageEndingWith("takes arrays of [-1, 2, 4, 3], which images of 9x9x1 do not fit");
    Endpoint labels =
        new Endpoint(Shape.of(H, W, C), 3, Oracle.Reply.LABELS, 16, Duration.ofSeconds(5));
    try (Oracle oracle = new OnnxOracle(file("first", -1), labels)) {
      assertThatThrownBy(() -> oracle.ask(new float[1][H * W * C]))
          .hasMessageEndingWith("answers with float[][], not with labels, whole numbers [N]");
    }
  }
}
