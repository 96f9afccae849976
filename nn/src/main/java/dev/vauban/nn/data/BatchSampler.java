package dev.vauban.nn.data;

import dev.vauban.tensor.Key;
import dev.vauban.tensor.Tensor;

/**
 * Draws ordinary batches from a set: one random order after another of all its images. Batch number
 * k consists of images k B, k B + 1, ... of that endless list; it depends on the key and k alone,
 * so training resumes anywhere with the same batches. Serves one thread.
 */
public final class BatchSampler {
  private final ImageSet set;
  private final Key key;
  private final int[] images;
  private final int[] labels;
  private int[] epochOrder;
  private long epoch = -1;

  /**
   * A sampler of all images.
   *
   * @param set where they come from; must stay open
   * @param key the source of the orders
   * @throws DataException if the set is empty
   */
  public BatchSampler(ImageSet set, Key key) {
    if (set.size() == 0) {
      throw new DataException("there is no image to draw in " + set);
    }
    this.set = set;
    this.key = key;
    this.images = new int[set.size()];
    this.labels = new int[set.size()];
    int at = 0;
    for (int c = 0; c < set.classCount(); c++) {
      for (int image : set.imagesOf(c)) {
        images[at] = image;
        labels[at++] = c;
      }
    }
  }

  /**
   * Writes a batch.
   *
   * @param number of the batch, from 0
   * @param which receives places of images in the set's block, I32 [B]
   * @param of receives their classes, I32 [B]
   */
  public void fill(long number, Tensor which, Tensor of) {
    set.pixels(); // a closed set is an error here, not in the plan
    int size = (int) which.size();
    for (int i = 0; i < size; i++) {
      int at = place(number * size + i);
      which.set(i, images[at]);
      of.set(i, labels[at]);
    }
  }

  /** Which image is number {@code i} of the endless list. */
  private int place(long i) {
    long wanted = i / images.length;
    if (wanted != epoch) {
      epochOrder = key.fold(wanted).permutation(images.length);
      epoch = wanted;
    }
    return epochOrder[(int) (i % images.length)];
  }
}
