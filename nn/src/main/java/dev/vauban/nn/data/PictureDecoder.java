package dev.vauban.nn.data;

import dev.vauban.tensor.FormatException;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Iterator;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;

/**
 * Decodes PNG, JPEG, BMP and GIF (first frame) through ImageIO; one decoder per thread. Alpha is
 * laid over white. Gray samples are taken as they are stored: ImageIO's own conversion of gray to
 * sRGB would brighten them.
 */
final class PictureDecoder implements AutoCloseable {
  private static final int MOST_PIXELS = 1 << 26;

  private final Channels channels;
  private ImageReader reader;

  PictureDecoder(Channels channels) {
    this.channels = channels;
  }

  /** Decodes one file; {@code where} names it in messages. */
  Pixels decode(byte[] encoded, String where) {
    // Not ImageIO.createImageInputStream: that may spool to a file.
    try (ImageInputStream in = new MemoryCacheImageInputStream(new ByteArrayInputStream(encoded))) {
      ImageReader r = readerFor(in, where);
      r.setInput(in, true, true);
      long pixels = (long) r.getWidth(0) * r.getHeight(0);
      if (pixels > MOST_PIXELS) {
        throw new FormatException(
            where + " has " + r.getWidth(0) + "x" + r.getHeight(0) + " pixels, which is too many");
      }
      return channels == Channels.GRAY ? gray(r.read(0)) : rgb(r.read(0));
    } catch (IOException | RuntimeException e) {
      // ImageIO's readers throw unchecked exceptions of many kinds on damaged files.
      if (e instanceof FormatException known) {
        throw known;
      }
      String why = e.getMessage() == null ? "it ends too early" : oneLine(e.getMessage());
      throw new FormatException(where + " is not a readable image (" + why + ")", e);
    }
  }

  private static String oneLine(String message) {
    return message.lines().findFirst().orElse("").strip();
  }

  private ImageReader readerFor(ImageInputStream in, String where) throws IOException {
    if (reader != null && reader.getOriginatingProvider().canDecodeInput(in)) {
      return reader;
    }
    Iterator<ImageReader> readers = ImageIO.getImageReaders(in);
    if (!readers.hasNext()) {
      throw new FormatException(where + " is not a PNG, JPEG, BMP or GIF image");
    }
    close();
    reader = readers.next();
    return reader;
  }

  private static Pixels gray(BufferedImage image) {
    int h = image.getHeight();
    int w = image.getWidth();
    float[] out = new float[h * w];
    if (isPlainGray(image)) {
      samples(image.getRaster(), scale(image), out);
      return new Pixels(h, w, 1, out);
    }
    if (image.getColorModel() instanceof IndexColorModel palette) {
      int[] indices = image.getRaster().getSamples(0, 0, w, h, 0, (int[]) null);
      float[] level = new float[palette.getMapSize()];
      for (int i = 0; i < level.length; i++) {
        level[i] = luma(palette.getRGB(i));
      }
      for (int i = 0; i < out.length; i++) {
        out[i] = level[indices[i]];
      }
      return new Pixels(h, w, 1, out);
    }
    int[] argb = image.getRGB(0, 0, w, h, null, 0, w);
    for (int i = 0; i < out.length; i++) {
      out[i] = luma(argb[i]);
    }
    return new Pixels(h, w, 1, out);
  }

  private static Pixels rgb(BufferedImage image) {
    int h = image.getHeight();
    int w = image.getWidth();
    float[] out = new float[h * w * 3];
    if (isPlainGray(image)) {
      float[] gray = new float[h * w];
      samples(image.getRaster(), scale(image), gray);
      for (int i = 0; i < gray.length; i++) {
        out[3 * i] = gray[i];
        out[3 * i + 1] = gray[i];
        out[3 * i + 2] = gray[i];
      }
      return new Pixels(h, w, 3, out);
    }
    int[] argb = image.getRGB(0, 0, w, h, null, 0, w);
    for (int i = 0; i < argb.length; i++) {
      out[3 * i] = overWhite(argb[i], 16);
      out[3 * i + 1] = overWhite(argb[i], 8);
      out[3 * i + 2] = overWhite(argb[i], 0);
    }
    return new Pixels(h, w, 3, out);
  }

  private static boolean isPlainGray(BufferedImage image) {
    ColorModel model = image.getColorModel();
    return model.getColorSpace().getType() == ColorSpace.TYPE_GRAY
        && image.getRaster().getNumBands() <= 2;
  }

  private static float scale(BufferedImage image) {
    int bits = image.getColorModel().getComponentSize(0);
    return 255f / ((1 << bits) - 1);
  }

  private static void samples(Raster raster, float scale, float[] out) {
    raster.getSamples(0, 0, raster.getWidth(), raster.getHeight(), 0, out);
    for (int i = 0; i < out.length; i++) {
      out[i] *= scale;
    }
    if (raster.getNumBands() == 2) {
      float[] alpha = new float[out.length];
      raster.getSamples(0, 0, raster.getWidth(), raster.getHeight(), 1, alpha);
      for (int i = 0; i < out.length; i++) {
        float opacity = alpha[i] * scale / 255;
        out[i] = out[i] * opacity + 255 * (1 - opacity);
      }
    }
  }

  private static float luma(int argb) {
    return 0.299f * overWhite(argb, 16) + 0.587f * overWhite(argb, 8) + 0.114f * overWhite(argb, 0);
  }

  private static float overWhite(int argb, int shift) {
    int alpha = argb >>> 24;
    int value = argb >>> shift & 0xFF;
    return alpha == 255 ? value : (value * alpha + 255 * (255 - alpha)) / 255f;
  }

  @Override
  public void close() {
    if (reader != null) {
      reader.dispose();
      reader = null;
    }
  }
}
