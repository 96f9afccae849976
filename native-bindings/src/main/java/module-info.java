/** Bindings to native libraries through the Foreign Function and Memory API. */
module dev.vauban.natives {
  exports dev.vauban.natives;
  exports dev.vauban.natives.cuda;
  exports dev.vauban.natives.onednn;
}
