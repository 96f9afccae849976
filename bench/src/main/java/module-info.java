import dev.vauban.bench.gates.GatesCommand;
import dev.vauban.cli.command.Command;

/** Benchmarks and acceptance gates. */
module dev.vauban.bench {
  requires dev.vauban.cli;
  requires dev.vauban.meta;
  requires dev.vauban.natives;
  requires dev.vauban.tensor;
  requires info.picocli;

  exports dev.vauban.bench;
  exports dev.vauban.bench.gates;

  // picocli sets the options' fields.
  opens dev.vauban.bench.gates to
      info.picocli;

  provides Command with
      GatesCommand;
}
