package dev.vauban.nn.data;

import dev.vauban.tensor.golden.TestFolder;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import javax.imageio.ImageIO;

/** Small files in the formats that the package reads, and the way to the real ones. */
final class SampleFiles {
  private SampleFiles() {}

  /** A folder of the real data; the test is skipped where it is absent. */
  static Path real(String name) {
    return TestFolder.DATA.find(name);
  }

  /** Colour of a pixel as 0xRRGGBB. */
  interface Paint {
    int at(int x, int y);
  }

  static byte[] image(String format, int type, int width, int height, Paint paint) {
    BufferedImage image = new BufferedImage(width, height, type);
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        image.setRGB(x, y, 0xFF000000 | paint.at(x, y));
      }
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try {
      if (!ImageIO.write(image, format, out)) {
        throw new IllegalStateException("no writer for " + format);
      }
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  static byte[] rgbPng(int side, Paint paint) {
    return image("png", BufferedImage.TYPE_INT_RGB, side, side, paint);
  }

  /** A 1-bit PNG, white but for black pixels where the paint is not 0. */
  static byte[] inkPng(int side, Paint ink) {
    return image(
        "png",
        BufferedImage.TYPE_BYTE_BINARY,
        side,
        side,
        (x, y) -> ink.at(x, y) != 0 ? 0 : 0xFFFFFF);
  }

  static Path zip(Path file, Map<String, byte[]> entries) throws IOException {
    try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(file))) {
      for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
        out.putNextEntry(new ZipEntry(entry.getKey()));
        out.write(entry.getValue());
        out.closeEntry();
      }
    }
    return file;
  }

  static Path file(Path path, byte[] bytes) throws IOException {
    Files.createDirectories(path.getParent());
    return Files.write(path, bytes);
  }

  /** An IDX file; gzipped if its name says so. */
  static Path idx(Path file, int magic, int[] dims, byte[] body) throws IOException {
    ByteBuffer header = ByteBuffer.allocate(4 + 4 * dims.length).putInt(magic);
    for (int d : dims) {
      header.putInt(d);
    }
    OutputStream raw = Files.newOutputStream(file);
    try (OutputStream out = file.toString().endsWith(".gz") ? new GZIPOutputStream(raw) : raw) {
      out.write(header.array());
      out.write(body);
    }
    return file;
  }
}
