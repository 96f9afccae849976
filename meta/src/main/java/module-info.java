/** Meta-learners: MAML and its robust family. */
module dev.vauban.meta {
  requires transitive dev.vauban.adversarial;

  exports dev.vauban.meta;
  exports dev.vauban.meta.generator;
  exports dev.vauban.meta.tuning;
}
