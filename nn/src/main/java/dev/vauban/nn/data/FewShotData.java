package dev.vauban.nn.data;

/**
 * A data set and its splits. All sets share one block of images; closing any of them, or this,
 * releases it.
 *
 * @param name the name it was opened by, for example {@code omniglot}
 * @param description a few sentences for people: source, preprocessing, split
 * @param kind what keeps the splits apart
 * @param all every class (for {@link SplitKind#BY_IMAGE}: with every image)
 * @param train the training set
 * @param validation the validation set; without classes if the split has none
 * @param test the test set; without classes if the copy that was read has none
 */
public record FewShotData(
    String name,
    String description,
    SplitKind kind,
    ImageSet all,
    ImageSet train,
    ImageSet validation,
    ImageSet test)
    implements AutoCloseable {

  /**
   * What to report results on: the test set, or the validation set where the copy that was read has
   * no test classes (the description then says so).
   */
  public ImageSet evaluation() {
    return test.classCount() > 0 ? test : validation;
  }

  @Override
  public void close() {
    all.close();
  }
}
