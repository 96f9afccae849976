package dev.vauban.cli.job;

import dev.vauban.cli.config.Victim;
import dev.vauban.cli.oracle.RequestHeader;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;

/** Whom a black-box attack asks. */
public sealed interface QueryVictim {
  /** In words, for tables and reports. */
  String text();

  /**
   * A model of Vauban.
   *
   * @param path a run directory or a .safetensors file
   * @param kind what it answers as
   * @param learner how it adapts; null for a classifier
   */
  record OfVauban(Path path, Victim kind, Learner learner) implements QueryVictim {
    @Override
    public String text() {
      return path + " as " + (kind == Victim.ADAPTED ? "adapted to each episode" : "a classifier");
    }
  }

  /** A model in a file of another runtime. */
  record InFile(Path path) implements QueryVictim {
    @Override
    public String text() {
      return path.toString();
    }
  }

  /**
   * A service.
   *
   * @param headers of each request, beside the usual ones
   */
  record Service(URI address, List<RequestHeader> headers) implements QueryVictim {
    @Override
    public String text() {
      return address.toString();
    }
  }

  /** A program. */
  record Program(String command) implements QueryVictim {
    private static final int SHOWN = 60;

    @Override
    public String text() {
      return command.length() <= SHOWN
          ? "the command '" + command + "'"
          : "the command '" + command.substring(0, SHOWN) + "...'";
    }
  }
}
