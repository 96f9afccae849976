package dev.vauban.cli;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;

/** Ten classes of images in MNIST's files: band number c of class c is a little brighter. */
final class Bands {
  static final int CLASSES = 10;
  static final int HEIGHT = 20;
  static final int WIDTH = 6;
  private static final int GROUND = 120;

  private Bands() {}

  /**
   * 60 images of which 50 train, and 40 to be attacked.
   *
   * @param data folder to make
   * @param contrast how much brighter a band is, of 255
   * @return the data set as users name it
   */
  static String write(Path data, int contrast) throws Exception {
    return write(data, contrast, WIDTH);
  }

  /** The same of another width. */
  static String write(Path data, int contrast, int width) throws Exception {
    Files.createDirectory(data);
    write(data, "train", 60, contrast, width);
    write(data, "t10k", 40, contrast, width);
    return "mnist:" + data;
  }

  private static void write(Path data, String name, int count, int contrast, int width)
      throws Exception {
    ByteBuffer images = ByteBuffer.allocate(16 + count * HEIGHT * width);
    images.putInt(0x803).putInt(count).putInt(HEIGHT).putInt(width);
    ByteBuffer labels = ByteBuffer.allocate(8 + count).putInt(0x801).putInt(count);
    for (int n = 0; n < count; n++) {
      labels.put((byte) (n % CLASSES));
      for (int i = 0; i < HEIGHT * width; i++) {
        boolean bright = i * CLASSES / (HEIGHT * width) == n % CLASSES;
        images.put((byte) (bright ? GROUND + contrast + n / CLASSES : GROUND));
      }
    }
    Files.write(data.resolve(name + "-images-idx3-ubyte"), images.array());
    Files.write(data.resolve(name + "-labels-idx1-ubyte"), labels.array());
  }
}
