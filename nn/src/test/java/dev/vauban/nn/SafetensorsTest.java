package dev.vauban.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.vauban.tensor.DType;
import dev.vauban.tensor.FormatException;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Shape;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class SafetensorsTest {
  @TempDir Path folder;

  @Test
  void whatIsWrittenIsRead() {
    try (Scope scope = Scope.open()) {
      Tree<Tensor> tree = Tree.empty();
      for (DType d : DType.values()) {
        Tensor t = scope.tensor(Type.of(d, 3, 5));
        for (int i = 0; i < t.size(); i++) {
          t.set(i, i * 0.75);
        }
        tree = tree.with(d.label(), Tree.of("w", t, "empty", scope.tensor(Type.of(d, 0, 4))));
      }
      tree = tree.with("scalar", scope.tensor(Type.f32()).set(-0.0));
      Path file = folder.resolve("a.safetensors");
      Map<String, String> metadata = Map.of("method", "rmaml \"out\"", "größe", "ü\n");
      Safetensors.write(file, tree, metadata);
      Safetensors.File back = Safetensors.read(file, scope);
      assertThat(back.metadata()).isEqualTo(metadata);
      assertThat(back.tensors().paths().keySet()).containsExactlyElementsOf(tree.paths().keySet());
      tree.paths()
          .forEach((path, t) -> {
            Tensor r = back.tensors().get(path);
            assertThat(r.type()).isEqualTo(t.type());
            assertThat(r.segment().mismatch(t.segment())).isEqualTo(-1);
          });
    }
  }

  /** A file as the format's specification describes it, byte by byte. */
  @Test
  void aNewFileIsWrittenInItsPlaceAndNoOtherTouched() throws IOException {
    Path file = folder.resolve("new.safetensors");
    Path same = folder.resolve("same.safetensors");
    try (Scope scope = Scope.open()) {
      Tree<Tensor> tree = Tree.of("a", scope.floats(Shape.of(3), 1, 2, 3));
      Safetensors.write(same, tree, Map.of("step", "3"));
      Safetensors.writeNew(file, tree, Map.of("step", "3"));
      assertThat(file).hasSameBinaryContentAs(same);
      assertThatThrownBy(() -> Safetensors.writeNew(file, tree, Map.of()))
          .isInstanceOf(FileAlreadyExistsException.class);
      assertThat(file).hasSameBinaryContentAs(same);
      // A folder that is missing is no file to make: it fails in the place that was named.
      assertThatThrownBy(() -> Safetensors.writeNew(file.resolve("x"), tree, Map.of()))
          .isInstanceOf(IOException.class)
          .hasMessageContaining(file.resolve("x").toString());
    }
  }

  @Test
  void theFormatIsTheSpecifiedOne() throws IOException {
    Path file = folder.resolve("b.safetensors");
    try (Scope scope = Scope.open()) {
      Safetensors.write(
          file,
          Tree.of("k", scope.ints(Shape.of(1), 7))
              .with("f", scope.tensor(Type.of(DType.F64, 1)).set(2.5)));
    }
    ByteBuffer b = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
    int length = (int) b.getLong(0);
    String header = new String(b.array(), 8, length, StandardCharsets.UTF_8);
    assertThat(header.strip())
        .isEqualTo(
            "{\"k\":{\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[8,12]},"
                + "\"f\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]}}");
    assertThat(length % 8).isZero();
    assertThat(b.getDouble(8 + length)).isEqualTo(2.5);
    assertThat(b.getInt(8 + length + 8)).isEqualTo(7);
    assertThat(b.capacity()).isEqualTo(8 + length + 12);
  }

  private static byte[] file(long headerLength, String header, int dataBytes) {
    byte[] h = header.getBytes(StandardCharsets.UTF_8);
    ByteBuffer b = ByteBuffer.allocate(8 + h.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
    return b.putLong(headerLength < 0 ? h.length : headerLength).put(h).array();
  }

  private static byte[] file(String header, int dataBytes) {
    return file(-1, header, dataBytes);
  }

  private static String tensor(String name, String dtype, String shape, String offsets) {
    return "\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":%s}"
        .formatted(name, dtype, shape, offsets);
  }

  private static Stream<Arguments> bad() {
    String a = tensor("a", "F32", "[2]", "[0,8]");
    return Stream.of(
        Arguments.of(new byte[5], "5 bytes are too few for a safetensors file"),
        Arguments.of(
            file(1000, "{}", 0), "the header should have 1000 bytes but the file ends after 2"),
        Arguments.of(
            file(1L << 62, "{}", 0),
            "a header of 4611686018427387904 bytes is more than the 100000000 allowed; is this a"
                + " safetensors file?"),
        Arguments.of(file("[1]", 0), "the header is no JSON object"),
        Arguments.of(
            file("{" + a + "}", 4),
            "tensor 'a' ends at byte 8 of the values but the file has only 4 of them"),
        Arguments.of(file("{" + a + "}", 11), "3 bytes after the last tensor belong to no tensor"),
        Arguments.of(
            file("{" + a + "," + tensor("b", "F32", "[2]", "[4,12]") + "}", 12),
            "tensor 'b' overlaps the one before it"),
        Arguments.of(
            file("{" + a + "," + tensor("b", "F32", "[2]", "[12,20]") + "}", 20),
            "4 bytes before tensor 'b' belong to no tensor"),
        Arguments.of(
            file("{" + tensor("a", "F32", "[3]", "[0,8]") + "}", 8),
            "tensor 'a' (f32[3]) needs 12 bytes but spans 0 to 8"),
        Arguments.of(
            file("{" + tensor("a", "F32", "[2]", "[8,0]") + "}", 8),
            "tensor 'a' (f32[2]) needs 8 bytes but spans 8 to 0"),
        Arguments.of(
            file("{" + tensor("a", "F32", "[2]", "[-8,0]") + "}", 8),
            "tensor 'a': -8 is out of range"),
        Arguments.of(
            file("{" + tensor("a", "F32", "[1.5]", "[0,8]") + "}", 8),
            "tensor 'a': 1.5 is no whole number"),
        Arguments.of(
            file("{" + tensor("a", "F32", "[99999999999999999999]", "[0,8]") + "}", 8),
            "tensor 'a': 99999999999999999999 is no whole number"),
        Arguments.of(
            file("{" + tensor("a", "F32", "[2000000000,2000000000,2000000000]", "[0,8]") + "}", 8),
            "tensor 'a' of shape [2000000000, 2000000000, 2000000000] is too large"),
        Arguments.of(
            file("{" + tensor("a", "F16", "[4]", "[0,8]") + "}", 8),
            "tensor 'a' has the unknown element type 'F16'; Vauban reads F32, BF16, F64, I32 and"
                + " U8"),
        Arguments.of(
            file("{\"a\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8),
            "tensor 'a' lacks its dtype, shape or two data_offsets"),
        Arguments.of(file("{\"a\":7}", 0), "tensor 'a' lacks its dtype, shape or two data_offsets"),
        Arguments.of(file("{\"__metadata__\":[]}", 0), "__metadata__ is no JSON object"),
        Arguments.of(file("{\"__metadata__\":{\"n\":7}}", 0), "__metadata__: 'n' is no text"),
        Arguments.of(
            file("{" + a + "," + tensor("a/b", "F32", "[0]", "[8,8]") + "}", 8),
            "the names of the tensors do not form a tree: a leaf has no children"));
  }

  @ParameterizedTest
  @MethodSource("bad")
  void aFileThatLies(byte[] content, String message) throws IOException {
    Path file = folder.resolve("bad.safetensors");
    Files.write(file, content);
    try (Scope scope = Scope.open()) {
      assertThatThrownBy(() -> Safetensors.read(file, scope))
          .isInstanceOf(FormatException.class)
          .hasMessage(file + ": " + message);
    }
  }

  @Test
  void namesThatOccurTwiceAndBrokenJson() throws IOException {
    Path file = folder.resolve("bad.safetensors");
    String a = tensor("a", "F32", "[2]", "[0,8]");
    try (Scope scope = Scope.open()) {
      Files.write(file, file("{" + a + "," + a + "}", 8));
      assertThatThrownBy(() -> Safetensors.read(file, scope))
          .isInstanceOf(FormatException.class)
          .hasMessageStartingWith(file + ": the header is no valid JSON: ")
          .hasMessageContaining("\"a\"");
      Files.write(file, file("{\"a\":", 8));
      assertThatThrownBy(() -> Safetensors.read(file, scope))
          .isInstanceOf(FormatException.class)
          .hasMessageStartingWith(file + ": the header is no valid JSON: ");
    }
  }

  /** Whatever is cut off, the reader says so and does not crash. */
  @Test
  void everyTruncationIsNoticed() throws IOException {
    Path file = folder.resolve("whole.safetensors");
    try (Scope scope = Scope.open()) {
      Safetensors.write(
          file,
          Tree.of("a", scope.floats(Shape.of(3), 1, 2, 3), "b", scope.ints(Shape.of(2), 4, 5)));
      byte[] all = Files.readAllBytes(file);
      Path cut = folder.resolve("cut.safetensors");
      for (int n = 0; n < all.length; n++) {
        Files.write(cut, java.util.Arrays.copyOf(all, n));
        assertThatThrownBy(() -> Safetensors.read(cut, scope))
            .isInstanceOf(FormatException.class)
            .hasMessageStartingWith(cut + ": ");
      }
    }
  }

  @Test
  void anotherArchitecture() {
    Path file = folder.resolve("model.safetensors");
    try (Scope scope = Scope.open()) {
      Safetensors.write(
          file, Tree.of("w", scope.tensor(Type.f32(3, 32)), "b", scope.tensor(Type.f32(5))));
      assertThatThrownBy(
              () -> Safetensors.read(file, Tree.of("w", Type.f32(3, 64), "b", Type.f32(5)), scope))
          .isInstanceOf(FormatException.class)
          .hasMessage(
              file
                  + " is of another architecture: this one needs w as f32[3,64], the file has"
                  + " f32[3,32]");
      assertThatThrownBy(
              () -> Safetensors.read(file, Tree.of("w", Type.f32(3, 32), "c", Type.f32(5)), scope))
          .hasMessage(
              file
                  + " is of another architecture: this one needs c as f32[5], the file has no such"
                  + " tensor");
      assertThatThrownBy(() -> Safetensors.read(file, Tree.of("w", Type.f32(3, 32)), scope))
          .hasMessage(
              file + " is of another architecture: this one has no b, the file has one (f32[5])");
      Tree<Type> reordered = Tree.of("b", Type.f32(5), "w", Type.f32(3, 32));
      assertThat(Safetensors.read(file, reordered, scope).tensors().paths().keySet())
          .containsExactly("b", "w");
    }
  }

  @Test
  void filesThatCannotBeReadOrWritten() {
    try (Scope scope = Scope.open()) {
      Path missing = folder.resolve("none.safetensors");
      assertThatThrownBy(() -> Safetensors.read(missing, scope))
          .isInstanceOf(UncheckedIOException.class)
          .hasMessage("there is no file " + missing);
      Path nowhere = folder.resolve("no/such/folder/a.safetensors");
      assertThatThrownBy(() -> Safetensors.write(nowhere, Tree.of("a", scope.tensor(Type.f32()))))
          .isInstanceOf(UncheckedIOException.class)
          .hasMessage("cannot write " + nowhere + ": the folder does not exist");
    }
  }

  /** A checkpoint is as readable as any new file, for a colleague's evaluation for example. */
  @Test
  void aCheckpointHasTheUsualPermissions() throws IOException {
    assumeTrue(Files.getFileStore(folder).supportsFileAttributeView("posix"));
    Path file = folder.resolve("a.safetensors");
    try (Scope scope = Scope.open()) {
      Safetensors.write(file, Tree.of("a", scope.tensor(Type.f32())));
    }
    assertThat(Files.getPosixFilePermissions(file))
        .isEqualTo(Files.getPosixFilePermissions(Files.createFile(folder.resolve("usual"))));
  }

  @Test
  void aSingleTensorHasNoName() {
    try (Scope scope = Scope.open()) {
      Tree<Tensor> leaf = Tree.leaf(scope.tensor(Type.f32()));
      assertThatThrownBy(() -> Safetensors.write(folder.resolve("x.safetensors"), leaf))
          .hasMessage("a checkpoint is a tree of names; this is a single tensor");
    }
  }

  /** A write that fails keeps the file before it and leaves nothing behind. */
  @Test
  void aFailedWriteChangesNothing() throws IOException {
    Path file = folder.resolve("kept.safetensors");
    try (Scope scope = Scope.open()) {
      Safetensors.write(file, Tree.of("a", scope.floats(Shape.of(1), 42)));
      Tree<Tensor> closed;
      try (Scope other = Scope.open()) {
        closed = Tree.of("a", other.floats(Shape.of(1), 1));
      }
      assertThatThrownBy(() -> Safetensors.write(file, closed))
          .isInstanceOf(dev.vauban.tensor.ClosedException.class);
      assertThat(Safetensors.read(file, scope).tensors().get("a").get(0)).isEqualTo(42);
      try (Stream<Path> files = Files.list(folder)) {
        assertThat(files).containsExactly(file);
      }
    }
  }
}
