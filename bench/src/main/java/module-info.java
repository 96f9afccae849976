import dev.vauban.bench.BenchCommand;
import dev.vauban.bench.gates.GatesCommand;
import dev.vauban.bench.peers.Framework;
import dev.vauban.cli.command.Command;

/** Benchmarks and acceptance gates. */
module dev.vauban.bench {
  requires dev.vauban.cli;
  requires dev.vauban.meta;
  requires dev.vauban.natives;
  requires dev.vauban.tensor;
  requires info.picocli;
  requires java.management;
  requires jdk.management;
  requires jmh.core;

  // The command line writes and reads these records as JSON.
  exports dev.vauban.bench;
  exports dev.vauban.bench.gates;
  exports dev.vauban.bench.kernels;
  exports dev.vauban.bench.peers;
  exports dev.vauban.bench.peers.python;
  exports dev.vauban.bench.steps;

  // picocli sets the options' fields.
  opens dev.vauban.bench to
      info.picocli;
  opens dev.vauban.bench.gates to
      info.picocli;

  // libtorch, in a module of its own that only the Maven profile "peers" builds.
  uses Framework;

  provides Command with
      BenchCommand,
      GatesCommand;
}
