/** The vauban command line. */
module dev.vauban.cli {
  requires dev.vauban.meta;
  requires info.picocli;
}
