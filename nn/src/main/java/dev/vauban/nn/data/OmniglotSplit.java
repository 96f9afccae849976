package dev.vauban.nn.data;

/** How the 1,623 Omniglot characters are divided. */
public enum OmniglotSplit {
  /**
   * The split of Vinyals et al. (2016) as published with prototypical networks (Snell et al. 2017):
   * 1,028 training, 172 validation and 423 test characters. In folder order (background before
   * evaluation, alphabets and characters by name) the last 423 characters are the test set, which
   * starts at Gurmukhi character 42; the five background alphabets Armenian, Bengali, Early
   * Aramaic, Hebrew and Mkhedruli are the validation set.
   */
  VINYALS,
  /**
   * The split of Lake et al. (2015): the 30 background alphabets (964 characters) train, the 20
   * evaluation alphabets (659 characters) test. It has no validation set.
   */
  ALPHABET,
  /**
   * All characters shuffled with the option's seed, 1,200 to train and 423 to test, as MAML (Finn
   * et al. 2017) does it. It has no validation set.
   */
  SHUFFLED
}
