/** Neural networks as pure functions over parameter trees; data sets; checkpoints. */
module dev.vauban.nn {
  requires transitive dev.vauban.tensor;
  requires java.desktop;
  requires tools.jackson.databind;

  exports dev.vauban.nn;
  exports dev.vauban.nn.augment;
  exports dev.vauban.nn.data;
}
