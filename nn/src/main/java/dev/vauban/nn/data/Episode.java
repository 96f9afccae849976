package dev.vauban.nn.data;

/**
 * One few-shot task as index lists, class by class: the first {@code shots} support entries belong
 * to label 0, the next to label 1, and so on; likewise the query entries.
 *
 * @param ways number of classes, labelled 0..ways-1
 * @param shots support images of each class
 * @param queries query images of each class
 * @param classes class index in the sampled set of each label, [ways]
 * @param support image positions in the block, [ways * shots]
 * @param query image positions in the block, [ways * queries]
 */
public record Episode(int ways, int shots, int queries, int[] classes, int[] support, int[] query) {

  /** Label of each support image: [ways * shots]. */
  public int[] supportLabels() {
    return labels(shots);
  }

  /** Label of each query image: [ways * queries]. */
  public int[] queryLabels() {
    return labels(queries);
  }

  private int[] labels(int each) {
    int[] labels = new int[ways * each];
    for (int i = 0; i < labels.length; i++) {
      labels[i] = i / each;
    }
    return labels;
  }
}
