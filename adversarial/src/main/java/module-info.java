/** Adversarial attacks and defences as compositions of a ball and an update. */
module dev.vauban.adversarial {
  requires transitive dev.vauban.nn;

  exports dev.vauban.adversarial;
  exports dev.vauban.adversarial.blackbox;
}
