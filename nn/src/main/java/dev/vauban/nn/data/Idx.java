package dev.vauban.nn.data;

import dev.vauban.tensor.FormatException;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.zip.GZIPInputStream;

/**
 * MNIST and Fashion-MNIST in IDX format, plain or gzipped: a big-endian header (magic 0x00000803
 * for images, 0x00000801 for labels; counts) and then bytes. The first 50,000 (5/6) of the training
 * file train, the rest validate, the t10k file tests; every split has all ten classes.
 */
final class Idx {
  private static final int IMAGES_MAGIC = 0x803;
  private static final int LABELS_MAGIC = 0x801;
  private static final int LARGEST_SIDE = 1024;
  // Deflate cannot shrink by more than this factor.
  private static final long DEFLATE_LIMIT = 1032;

  static final List<String> DIGITS = List.of("0", "1", "2", "3", "4", "5", "6", "7", "8", "9");
  static final List<String> CLOTHES =
      List.of(
          "T-shirt/top",
          "Trouser",
          "Pullover",
          "Dress",
          "Coat",
          "Sandal",
          "Shirt",
          "Sneaker",
          "Bag",
          "Ankle boot");

  private Idx() {}

  static FewShotData open(
      String name, String title, List<String> classNames, Path dir, DataOptions options) {
    if (!Files.isDirectory(dir)) {
      throw new DataException(dir + (Files.exists(dir) ? " is not a folder" : " does not exist"));
    }
    Path trainLabels = find(dir, "train-labels", "idx1");
    Path testLabels = find(dir, "t10k-labels", "idx1");
    try (Reader train = new Reader(find(dir, "train-images", "idx3"), IMAGES_MAGIC, 3);
        Reader test = new Reader(find(dir, "t10k-images", "idx3"), IMAGES_MAGIC, 3)) {
      int n = train.dims[0];
      int height = train.dims[1];
      int width = train.dims[2];
      checkImages(train, test, options);
      byte[] labels = labels(trainLabels, n, classNames.size());
      byte[] moreLabels = labels(testLabels, test.dims[0], classNames.size());
      ImageBlock block = new ImageBlock(name, n + test.dims[0], height, width, 1);
      try {
        long middle = (long) n * height * width;
        MemorySegment pixels = block.pixels();
        train.readTo(pixels.asSlice(0, middle));
        test.readTo(pixels.asSlice(middle, (long) test.dims[0] * height * width));
      } catch (RuntimeException e) {
        block.close();
        throw e;
      }
      byte[] every = Arrays.copyOf(labels, n + moreLabels.length);
      System.arraycopy(moreLabels, 0, every, n, moreLabels.length);
      int trains = (int) (n * 5L / 6);
      return new FewShotData(
          name,
          title
              + ", "
              + height
              + "x"
              + width
              + "; every split has all classes: "
              + trains
              + " training, "
              + (n - trains)
              + " validation and "
              + test.dims[0]
              + " test images.",
          SplitKind.BY_IMAGE,
          set(block, classNames, every, 0, every.length),
          set(block, classNames, every, 0, trains),
          set(block, classNames, every, trains, n),
          set(block, classNames, every, n, every.length));
    }
  }

  private static ImageSet set(
      ImageBlock block, List<String> names, byte[] labels, int from, int to) {
    int[][] lists = new int[names.size()][];
    for (int c = 0; c < lists.length; c++) {
      int label = c;
      lists[c] = IntStream.range(from, to).filter(i -> labels[i] == label).toArray();
    }
    return new ImageSet(block, names, lists);
  }

  // Both spellings are in use: train-images-idx3-ubyte and train-images.idx3-ubyte.
  private static Path find(Path dir, String part, String kind) {
    List<String> tried = new ArrayList<>();
    for (String join : List.of("-", ".")) {
      for (String ending : List.of(".gz", "")) {
        String file = part + join + kind + "-ubyte" + ending;
        if (Files.isRegularFile(dir.resolve(file))) {
          return dir.resolve(file);
        }
        tried.add(file);
      }
    }
    throw new DataException(dir + " has no file " + tried.get(0) + " (nor " + tried.get(1) + ")");
  }

  private static void checkImages(Reader train, Reader test, DataOptions options) {
    for (Reader r : List.of(train, test)) {
      if (r.dims[1] < 1 || r.dims[1] > LARGEST_SIDE || r.dims[2] < 1 || r.dims[2] > LARGEST_SIDE) {
        throw new FormatException(
            r.file + " promises images of " + r.dims[1] + "x" + r.dims[2] + " pixels");
      }
    }
    if (train.dims[1] != test.dims[1] || train.dims[2] != test.dims[2]) {
      throw new FormatException(
          train.file + " and " + test.file + " hold images of different sizes");
    }
    int asked = options.size();
    if (asked != 0 && (asked != train.dims[1] || asked != train.dims[2])) {
      throw new DataException(
          "images of "
              + train.file
              + " are "
              + train.dims[1]
              + "x"
              + train.dims[2]
              + " and are not resampled; leave the size option out");
    }
  }

  private static byte[] labels(Path file, int images, int classes) {
    try (Reader reader = new Reader(file, LABELS_MAGIC, 1)) {
      if (reader.dims[0] != images) {
        throw new FormatException(
            file + " has " + reader.dims[0] + " labels for " + images + " images");
      }
      byte[] labels = new byte[images];
      reader.readTo(MemorySegment.ofArray(labels));
      for (int i = 0; i < images; i++) {
        if (labels[i] < 0 || labels[i] >= classes) {
          throw new FormatException(
              file
                  + " labels image "
                  + i
                  + " as class "
                  + (labels[i] & 0xFF)
                  + "; there are "
                  + classes);
        }
      }
      return labels;
    }
  }

  /** One IDX file: header read and checked, then the bytes it promises and no more. */
  private static final class Reader implements AutoCloseable {
    final Path file;
    final int[] dims;
    private final InputStream in;

    Reader(Path file, int magic, int rank) {
      this.file = file;
      this.dims = new int[rank];
      try {
        in = openStream(file);
      } catch (EOFException e) {
        throw new FormatException(file + " ends within its header", e);
      } catch (IOException e) {
        throw unreadable(e);
      }
      try {
        readHeader(magic);
      } catch (RuntimeException e) {
        close();
        throw e;
      }
    }

    private static InputStream openStream(Path file) throws IOException {
      InputStream raw = Files.newInputStream(file);
      try {
        return file.toString().endsWith(".gz")
            ? new GZIPInputStream(raw, 1 << 16)
            : new BufferedInputStream(raw, 1 << 16);
      } catch (IOException e) {
        raw.close();
        throw e;
      }
    }

    private void readHeader(int magic) {
      try {
        byte[] header = in.readNBytes(4 + 4 * dims.length);
        if (header.length < 4 + 4 * dims.length) {
          throw new FormatException(file + " ends within its header");
        }
        ByteBuffer buffer = ByteBuffer.wrap(header);
        int found = buffer.getInt();
        if (found != magic) {
          throw new FormatException(
              "%s starts with 0x%08x, but IDX %s start with 0x%08x"
                  .formatted(file, found, dims.length == 3 ? "images" : "labels", magic));
        }
        long promised = 1;
        for (int i = 0; i < dims.length; i++) {
          dims[i] = buffer.getInt();
          promised = dims[i] < 1 ? -1 : Math.multiplyExact(promised, (long) dims[i]);
          if (promised < 1) {
            throw new FormatException(file + " has a count of " + dims[i] + " in its header");
          }
        }
        checkPlausible(promised);
      } catch (ArithmeticException e) {
        throw new FormatException(file + " promises an impossible number of bytes", e);
      } catch (IOException e) {
        throw unreadable(e);
      }
    }

    // Before anything of that size is allocated.
    private void checkPlausible(long promised) throws IOException {
      long size = Files.size(file);
      long header = 4 + 4L * dims.length;
      long most = file.toString().endsWith(".gz") ? size * DEFLATE_LIMIT : size - header;
      if (promised > most) {
        throw new FormatException(
            file + " promises " + promised + " bytes, but a file of " + size + " cannot hold them");
      }
    }

    void readTo(MemorySegment target) {
      byte[] buffer = new byte[1 << 16];
      try {
        long done = 0;
        while (done < target.byteSize()) {
          int n = in.read(buffer, 0, (int) Math.min(buffer.length, target.byteSize() - done));
          if (n < 0) {
            throw new FormatException(
                file + " ends after " + done + " of " + target.byteSize() + " bytes");
          }
          MemorySegment.copy(MemorySegment.ofArray(buffer), 0, target, done, n);
          done += n;
        }
        if (in.read() >= 0) {
          throw new FormatException(
              file + " goes on after the " + done + " bytes that its header promises");
        }
      } catch (IOException e) {
        throw unreadable(e);
      }
    }

    private RuntimeException unreadable(IOException e) {
      return e instanceof java.util.zip.ZipException || e instanceof EOFException
          ? new FormatException(file + " is not a complete gzip file (" + e.getMessage() + ")", e)
          : new DataException(file + " cannot be read: " + e.getMessage(), e);
    }

    @Override
    public void close() {
      try {
        in.close();
      } catch (IOException e) {
        throw new DataException(file + " cannot be closed: " + e.getMessage(), e);
      }
    }
  }
}
