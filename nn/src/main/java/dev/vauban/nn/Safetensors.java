package dev.vauban.nn;

import dev.vauban.tensor.FormatException;
import dev.vauban.tensor.Scope;
import dev.vauban.tensor.Tensor;
import dev.vauban.tensor.Tree;
import dev.vauban.tensor.Type;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * Trees of tensors in files of the safetensors format: 8 bytes of header length, a JSON header,
 * then the values, little-endian. Names are tree paths, joined by {@code /}.
 *
 * <p>Files are written beside their place and moved into it, so that a reader never sees half a
 * file and a crash never destroys the one before. Files are read with suspicion: whatever does not
 * add up is a {@link FormatException} of one sentence.
 */
public final class Safetensors {
  /** The longest part that one call copies; a buffer is at most 2 GB. */
  private static final long CHUNK = 1L << 30;

  private Safetensors() {}

  /**
   * The content of a file.
   *
   * @param tensors the tensors, in the order of the header
   * @param metadata the file's own texts
   */
  public record File(Tree<Tensor> tensors, Map<String, String> metadata) {}

  /** Writes tensors without metadata. */
  public static void write(Path file, Tree<Tensor> tensors) {
    write(file, tensors, Map.of());
  }

  /**
   * Writes tensors, atomically: the file is complete or as it was before.
   *
   * @param metadata texts kept in the header
   * @throws UncheckedIOException if it cannot be written; nothing is left behind
   */
  public static void write(Path file, Tree<Tensor> tensors, Map<String, String> metadata) {
    requireTree(tensors);
    Path target = file.toAbsolutePath();
    // Not Files.createTempFile, whose files only their owner may read.
    Path temp = target.resolveSibling(target.getFileName() + "." + UUID.randomUUID() + ".tmp");
    try {
      writeTo(temp, tensors, metadata);
      move(temp, target);
      temp = null;
    } catch (NoSuchFileException e) {
      throw new UncheckedIOException("cannot write " + file + ": the folder does not exist", e);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + file + ": " + IoReason.of(e), e);
    } finally {
      discard(temp);
    }
  }

  /**
   * Writes tensors to a file that does not exist yet, and forces them to the disk: for those who
   * move the file into its place themselves. A failure leaves what was written so far.
   *
   * @param metadata texts kept in the header
   * @throws IOException if it cannot be written
   */
  public static void writeNew(Path file, Tree<Tensor> tensors, Map<String, String> metadata)
      throws IOException {
    requireTree(tensors);
    writeTo(file, tensors, metadata);
  }

  private static void requireTree(Tree<Tensor> tensors) {
    if (tensors.isLeaf()) {
      throw new IllegalArgumentException(
          "a checkpoint is a tree of names; this is a single tensor");
    }
  }

  private static void writeTo(Path temp, Tree<Tensor> tensors, Map<String, String> metadata)
      throws IOException {
    Map<String, Tensor> leaves = tensors.paths();
    // Wide elements first: every tensor is then aligned to its element, as readers that map expect.
    List<Map.Entry<String, Tensor>> order = new java.util.ArrayList<>(leaves.entrySet());
    order.sort(Comparator.comparingInt(e -> -e.getValue().type().dtype().bytes()));
    Map<String, Long> offsets = new LinkedHashMap<>();
    long at = 0;
    for (Map.Entry<String, Tensor> e : order) {
      offsets.put(e.getKey(), at);
      at += e.getValue().type().bytes();
    }
    byte[] header = SafetensorsHeader.encode(leaves, offsets, metadata);
    try (FileChannel channel =
        FileChannel.open(temp, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      ByteBuffer head = ByteBuffer.allocate(8 + header.length).order(ByteOrder.LITTLE_ENDIAN);
      head.putLong(header.length).put(header).flip();
      writeFully(channel, head);
      for (Map.Entry<String, Tensor> e : order) {
        MemorySegment s = e.getValue().segment();
        long bytes = e.getValue().type().bytes();
        for (long from = 0; from < bytes; from += CHUNK) {
          long length = Math.min(CHUNK, bytes - from);
          writeFully(channel, s.asSlice(from, length).asByteBuffer());
        }
      }
      channel.force(true);
    }
  }

  private static void writeFully(FileChannel channel, ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      channel.write(buffer);
    }
  }

  private static void move(Path temp, Path target) throws IOException {
    try {
      Files.move(temp, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (AtomicMoveNotSupportedException e) {
      Files.move(temp, target, StandardCopyOption.REPLACE_EXISTING);
    }
    try (FileChannel folder = FileChannel.open(target.getParent(), StandardOpenOption.READ)) {
      folder.force(true);
    } catch (IOException e) {
      // Some systems cannot open folders; the move itself is done.
    }
  }

  private static void discard(Path temp) {
    if (temp != null) {
      try {
        Files.deleteIfExists(temp);
      } catch (IOException e) {
        System.getLogger(Safetensors.class.getName())
            .log(System.Logger.Level.WARNING, "cannot delete " + temp + ": " + IoReason.of(e));
      }
    }
  }

  /**
   * Reads a file into new tensors.
   *
   * @throws FormatException if the file is not what the format promises
   * @throws UncheckedIOException if it cannot be read
   */
  public static File read(Path file, Scope scope) {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      SafetensorsHeader header = SafetensorsHeader.read(file, channel);
      Map<String, Tensor> leaves = new LinkedHashMap<>();
      for (SafetensorsHeader.Entry e : header.entries()) {
        Tensor t = scope.tensor(e.type());
        readFully(channel, header.dataStart() + e.begin(), t.segment(), e.type().bytes());
        leaves.put(e.name(), t);
      }
      return new File(tree(file, leaves), header.metadata());
    } catch (NoSuchFileException e) {
      throw new UncheckedIOException("there is no file " + file, e);
    } catch (EOFException e) {
      throw new FormatException(file + ": the file became shorter while it was read", e);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file + ": " + IoReason.of(e), e);
    }
  }

  /**
   * Reads a file that must hold tensors of these names and types, in any order.
   *
   * @param expected what a model or trainer needs
   * @return the tensors in the structure and order of {@code expected}
   * @throws FormatException if a tensor is missing, superfluous or of another type; the message
   *     names the first that differs
   */
  public static File read(Path file, Tree<Type> expected, Scope scope) {
    File content = read(file, scope);
    return new File(fit(file.toString(), expected, content.tensors()), content.metadata());
  }

  /**
   * The tensors in the structure of {@code expected}.
   *
   * @param source what the tensors are, for the message: a file's name
   * @throws FormatException if a tensor is missing, superfluous or of another type
   */
  public static Tree<Tensor> fit(String source, Tree<Type> expected, Tree<Tensor> tensors) {
    Map<String, Tensor> found = tensors.paths();
    expected
        .paths()
        .forEach((path, type) -> {
          Tensor t = found.get(path);
          if (t == null || !t.type().equals(type)) {
            String is = t == null ? "has no such tensor" : "has " + t.type();
            throw other(source, "needs " + path + " as " + type + ", the file " + is);
          }
        });
    for (String path : found.keySet()) {
      if (!expected.paths().containsKey(path)) {
        String type = found.get(path).type().toString();
        throw other(source, "has no " + path + ", the file has one (" + type + ")");
      }
    }
    return expected.mapPaths((path, type) -> found.get(path));
  }

  private static FormatException other(String source, String what) {
    return new FormatException(source + " is of another architecture: this one " + what);
  }

  private static void readFully(FileChannel channel, long at, MemorySegment into, long bytes)
      throws IOException {
    for (long from = 0; from < bytes; from += CHUNK) {
      ByteBuffer b = into.asSlice(from, Math.min(CHUNK, bytes - from)).asByteBuffer();
      long position = at + from;
      while (b.hasRemaining()) {
        int n = channel.read(b, position);
        if (n < 0) {
          throw new EOFException();
        }
        position += n;
      }
    }
  }

  private static Tree<Tensor> tree(Path file, Map<String, Tensor> leaves) {
    try {
      return Tree.ofPaths(leaves);
    } catch (IllegalArgumentException | IllegalStateException e) {
      throw new FormatException(
          file + ": the names of the tensors do not form a tree: " + e.getMessage(), e);
    }
  }
}
