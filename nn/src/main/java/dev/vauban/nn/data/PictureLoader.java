package dev.vauban.nn.data;

import dev.vauban.tensor.FormatException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/**
 * Decodes files into a block on all cores.
 *
 * @param channels colour of the result
 * @param size side of the result in pixels
 * @param resampling how to get there
 * @param source side that every file must have, or 0 for any
 * @param prepare what to do with a decoded image before resampling, such as inverting it
 */
record PictureLoader(
    Channels channels, int size, Resampling resampling, int source, UnaryOperator<Pixels> prepare) {
  // Small enough to balance, large enough to share one decoder's set-up.
  private static final int CHUNK = 256;

  /** One file to decode. */
  record Picture(PictureStore store, String path) {
    String where() {
      return store.where(path);
    }
  }

  /**
   * Decodes picture {@code i} to block position {@code i}.
   *
   * @throws FormatException about the first picture in order that cannot be decoded
   */
  void load(List<Picture> pictures, ImageBlock block) {
    int chunks = (pictures.size() + CHUNK - 1) / CHUNK;
    AtomicReferenceArray<RuntimeException> failures = new AtomicReferenceArray<>(chunks);
    IntStream.range(0, chunks)
        .parallel()
        .forEach(chunk -> {
          int from = chunk * CHUNK;
          int to = Math.min(pictures.size(), from + CHUNK);
          try {
            loadChunk(pictures, from, to, block);
          } catch (RuntimeException e) {
            failures.set(chunk, e);
          }
        });
    Optional<RuntimeException> first =
        IntStream.range(0, chunks).mapToObj(failures::get).filter(e -> e != null).findFirst();
    if (first.isPresent()) {
      throw first.get();
    }
  }

  private void loadChunk(List<Picture> pictures, int from, int to, ImageBlock block) {
    Resampler resampler = null;
    try (PictureDecoder decoder = new PictureDecoder(channels)) {
      for (int i = from; i < to; i++) {
        Picture picture = pictures.get(i);
        Pixels image = decoder.decode(picture.store().read(picture.path()), picture.where());
        checkSize(image, picture);
        image = prepare.apply(image);
        if (resampler == null || !resampler.takes(image)) {
          resampler = new Resampler(image.height(), image.width(), size, size, resampling);
        }
        resampler.write(image, block.image(i));
      }
    }
  }

  private void checkSize(Pixels image, Picture picture) {
    if (source != 0 && (image.height() != source || image.width() != source)) {
      throw new FormatException(
          picture.where()
              + " is "
              + image.width()
              + "x"
              + image.height()
              + " pixels, but images of this data set are "
              + source
              + "x"
              + source);
    }
  }
}
