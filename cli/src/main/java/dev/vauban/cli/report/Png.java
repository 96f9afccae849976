package dev.vauban.cli.report;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import java.util.zip.Deflater;

/**
 * Writes 8-bit PNG images, grey or RGB. A page of its own because javax.imageio brings the desktop
 * module and half a second of start-up for what is three chunks and a checksum.
 */
public final class Png {
  private static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  private static final int GREY = 0;
  private static final int RGB = 2;

  private Png() {}

  /**
   * Encodes an image.
   *
   * @param pixels [H,W,C] in [0,1]; values outside are clipped
   * @param channels 1 (grey) or 3 (RGB)
   */
  public static byte[] encode(float[] pixels, int height, int width, int channels) {
    ByteArrayOutputStream png = new ByteArrayOutputStream();
    png.writeBytes(SIGNATURE);
    ByteBuffer header = ByteBuffer.allocate(13).putInt(width).putInt(height);
    header.put((byte) 8).put((byte) (channels == 1 ? GREY : RGB));
    chunk(png, "IHDR", header.array());
    chunk(png, "IDAT", deflate(scanlines(pixels, height, width * channels)));
    chunk(png, "IEND", new byte[0]);
    return png.toByteArray();
  }

  /**
   * Encodes a perturbation around mid-grey: no change is grey, {@code +eps} white, {@code -eps}
   * black (per channel).
   */
  public static byte[] perturbation(
      float[] clean, float[] adversarial, double eps, int height, int width, int channels) {
    float[] shown = new float[clean.length];
    for (int i = 0; i < shown.length; i++) {
      shown[i] = (float) (0.5 + (adversarial[i] - clean[i]) / (2 * eps));
    }
    return encode(shown, height, width, channels);
  }

  /** Rows of bytes, each led by filter type 0 (none). */
  private static byte[] scanlines(float[] pixels, int height, int rowValues) {
    ByteBuffer lines = ByteBuffer.allocate(height * (rowValues + 1));
    for (int y = 0; y < height; y++) {
      lines.put((byte) 0);
      for (int i = 0; i < rowValues; i++) {
        float clipped = Math.min(1, Math.max(0, pixels[y * rowValues + i]));
        lines.put((byte) Math.round(clipped * 255));
      }
    }
    return lines.array();
  }

  private static byte[] deflate(byte[] data) {
    Deflater deflater = new Deflater(Deflater.BEST_COMPRESSION);
    try {
      deflater.setInput(data);
      deflater.finish();
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      byte[] buffer = new byte[8192];
      while (!deflater.finished()) {
        out.write(buffer, 0, deflater.deflate(buffer));
      }
      return out.toByteArray();
    } finally {
      deflater.end();
    }
  }

  private static void chunk(ByteArrayOutputStream png, String type, byte[] data) {
    byte[] name = type.getBytes(StandardCharsets.US_ASCII);
    CRC32 crc = new CRC32();
    crc.update(name);
    crc.update(data);
    png.writeBytes(ByteBuffer.allocate(4).putInt(data.length).array());
    png.writeBytes(name);
    png.writeBytes(data);
    png.writeBytes(ByteBuffer.allocate(4).putInt((int) crc.getValue()).array());
  }
}
