package dev.vauban.nn.data;

import dev.vauban.tensor.ClosedException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** The memory behind image sets: u8 [images, height, width, channels], 64-byte aligned. */
final class ImageBlock implements AutoCloseable {
  private final String name;
  private final Arena arena;
  private final MemorySegment pixels;
  final int images;
  final int height;
  final int width;
  final int channels;

  ImageBlock(String name, int images, int height, int width, int channels) {
    this.name = name;
    this.images = images;
    this.height = height;
    this.width = width;
    this.channels = channels;
    long bytes = (long) images * height * width * channels;
    // Shared, because decoding and episodes use several threads; opened once per data set.
    this.arena = Arena.ofShared();
    try {
      this.pixels = arena.allocate(Math.max(bytes, 1), 64);
    } catch (OutOfMemoryError e) {
      arena.close();
      throw new DataException(
          name
              + " needs "
              + (bytes + (1 << 20) - 1 >> 20)
              + " MiB of memory for "
              + images
              + " images of "
              + height
              + "x"
              + width
              + "x"
              + channels
              + ", which this process may not use; choose a smaller image size or raise"
              + " -XX:MaxDirectMemorySize",
          e);
    }
  }

  String name() {
    return name;
  }

  int imageBytes() {
    return height * width * channels;
  }

  boolean isClosed() {
    return !arena.scope().isAlive();
  }

  void check() {
    if (isClosed()) {
      throw new ClosedException("the images of " + name + " were used after their set was closed");
    }
  }

  MemorySegment pixels() {
    check();
    return pixels;
  }

  MemorySegment image(int index) {
    return pixels().asSlice((long) index * imageBytes(), imageBytes());
  }

  @Override
  public void close() {
    synchronized (this) {
      if (!isClosed()) {
        arena.close();
      }
    }
  }
}
