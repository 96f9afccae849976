/** Benchmarks. */
module dev.vauban.bench {
  requires dev.vauban.cli;
}
